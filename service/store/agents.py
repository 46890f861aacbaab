"""How many agents are in each group that may be spoken of: keyed hashes in a set, for a month."""

from collections.abc import Mapping
from datetime import timedelta

from models.agents import AgentRules
from service.store import keys
from service.store.redis import Store, store_errors

KEPT = timedelta(days=30)  # a team that did not work for a month is counted anew


class AgentGroups:
    """Count agents by group, and tell which groups are large enough."""

    def __init__(self, store: Store, rules: AgentRules) -> None:
        self._store = store
        self._rules = rules

    async def admitted(self, groups: Mapping[str, str], agent: str | None) -> dict[str, str]:
        """The groups with at least the fewest agents, this ``agent`` (a keyed hash) among them where one is named."""
        admitted = {}
        with store_errors():
            for name, value in groups.items():
                key = keys.agents(name.lower(), value)
                if agent is not None:
                    await self._store.client.sadd(key, agent)
                    await self._store.client.expire(key, int(KEPT.total_seconds()))
                if await self._store.client.scard(key) >= self._rules.least:
                    admitted[name] = value
        return admitted
