"""Not too much watching: which attributes are about agents, and which groups of them may be spoken of.

Nothing about a single agent is ever kept. A group (a team, a shift) may be, where its attribute is switched on by
name, and then only while at least ``least`` agents are in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

SINGLE = frozenset(
    {"agent", "agent_id", "agent_name", "agent_email", "operator", "operator_id", "assignee", "staff", "staff_id"}
    | {"客服", "坐席", "坐席工号", "客服工号", "客服姓名"}
)
"""Attributes that name one agent: dropped always."""
GROUPS = frozenset({"agent_team", "agent_group", "agent_shift", "skill_group", "客服组", "坐席组", "技能组"})
"""Attributes that name a group of them: dropped unless switched on."""


@dataclass(frozen=True, slots=True)
class AgentRules:
    """``fields``: groups that are switched on, in small letters; ``least``: agents below which a group is none."""

    fields: frozenset[str] = frozenset()
    least: int = 5


@dataclass(frozen=True, slots=True)
class Parted:
    """Attributes without those about agents; the groups that may be kept if large enough; and the agent, where one was
    named, to count the group by."""

    attributes: Mapping[str, str]
    groups: Mapping[str, str]
    agent: str | None


def part(attributes: Mapping[str, str], rules: AgentRules) -> Parted:
    """Part what is about agents from what is not.

    >>> part({"sku": "PB-20", "Agent_ID": "a7", "agent_team": "night"}, AgentRules())
    Parted(attributes={'sku': 'PB-20'}, groups={}, agent='a7')
    """
    others: dict[str, str] = {}
    groups: dict[str, str] = {}
    agent: str | None = None
    for name, value in attributes.items():
        match _about(name, rules.fields):
            case "other":
                others[name] = value
            case "group":
                groups[name] = value
            case "agent" if agent is None and value:
                agent = value
    return Parted(others, groups, agent)


@lru_cache(maxsize=4_096)  # names are few, and every message brings some
def _about(name: str, fields: frozenset[str]) -> Literal["agent", "group", "dropped", "other"]:
    small = name.strip().lower()
    if small in SINGLE:
        return "agent"
    if small in fields:
        return "group"
    return "dropped" if small in GROUPS else "other"
