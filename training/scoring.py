"""Before and after a retraining, on messages that it did not learn from; and why a bundle should not be promoted."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Self

import numpy as np

from models.embed import Language, Vectors
from models.topic import TopicId, TopicState
from models.topics import Assignment, TopicModel
from training.backtest import Raised, run, settings_for
from training.counts import Counts
from training.grouping import Grouping, grouping
from training.kept import Kept
from training.words import WORDS

_BUCKET = timedelta(hours=1)
LEAST_SPAN = timedelta(days=14)  # half to learn from, half to judge: a week is the shortest season
_SAME_SURGE = timedelta(hours=24) // _BUCKET  # an alarm within a day is the same episode (`models.surge`)
_SURE = 0.5  # least strength of a message that stands for its topic
LEAST_SCORED = 20  # messages; of fewer a share says nothing

AGREEMENT = 0.9
"""Least share of old held-out messages that stay under their topic, or go to what it became: a chosen figure, as are
the ones below. Where more than one in ten goes elsewhere, people no longer find what they knew."""
QUALITY_LOSS = 0.02  # most that knn1 or NMI may fall on labelled messages
COVERAGE_LOSS = 0.05  # most of the old messages that may go from a topic to none
SURGES_FOUND = 0.8  # least share of the surges found before that is found after
MORE_ALARMS = 1.0  # alarms a week that nothing before explains: half of the default budget of false alarms


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: figures of the held-out messages, and alarms of the backtest."""

    coverage_old: float | None
    coverage_new: float | None
    quality: Grouping | None
    """Of labelled messages; None where too few have a label."""
    alarms: int | None


@dataclass(frozen=True, slots=True)
class Missed:
    """An alarm before that is not raised after; ``at`` is seconds since 1970."""

    topic: TopicId
    at: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Before and after. ``surges_found`` is the share of the alarms before that are raised after; None where the
    messages are too few or span too little time. ``missed`` are the others."""

    before: Side | None
    after: Side
    agreement: float | None
    surges_found: float | None
    more_alarms_a_week: float | None
    held_out: int
    missed: tuple[Missed, ...] = ()

    def to_json(self) -> dict[str, Any]:
        said = asdict(self)
        return said | {"missed": list(said["missed"])}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        sides = {name: _said(said[name]) for name in ("before", "after")}
        missed = tuple(Missed(**one) for one in said["missed"])
        return cls(**{**said, **sides, "missed": missed})


Placed = Sequence[TopicId | None]


@dataclass(frozen=True, eq=False)
class Arm:
    """One model with what it makes of all messages: unit vectors after centring (n, d) and assignments (n)."""

    model: TopicModel
    vectors: Vectors
    assigned: Sequence[Assignment]

    @cached_property
    def placed(self) -> Placed:
        return [one.topic for one in self.assigned]

    def sure(self, rows: Sequence[int]) -> Placed:
        """The topics of these messages, None where another topic is nearly as near."""
        return [self.assigned[row].topic if self.assigned[row].strength >= _SURE else None for row in rows]


def score(messages: Sequence[Kept], before: Arm | None, after: Arm) -> Scores:
    """Compare two models on the same messages."""
    out = [row for row, one in enumerate(messages) if one.held_out]
    alarms = (_alarms(messages, before.placed), _alarms(messages, after.placed)) if before else (None, None)
    found = more = None
    missed: tuple[Missed, ...] = ()
    if before and alarms[0] is not None and alarms[1] is not None:
        found, more, missed = _compared(alarms[0], alarms[1], after.model, _weeks(messages))
    return Scores(
        before=_side(messages, before, out, alarms[0]) if before else None,
        after=_side(messages, after, out, alarms[1]),
        agreement=_agreement(messages, before.placed, after, out) if before else None,
        surges_found=found,
        more_alarms_a_week=more,
        held_out=len(out),
        missed=missed,
    )


def objections(scores: Scores, language: Language = "en") -> tuple[str, ...]:
    """Why the bundle should not go live, by the limits above; none where all is well."""
    say, before, after = WORDS[language], scores.before, scores.after
    found = []
    if scores.agreement is not None and scores.agreement < AGREEMENT:
        found.append(say["less agreement"].format(share=scores.agreement, limit=AGREEMENT))
    if before and before.quality and after.quality:
        for name in ("knn1", "nmi"):
            was, now = getattr(before.quality, name), getattr(after.quality, name)
            if now < was - QUALITY_LOSS:
                found.append(say["less quality"].format(measure=say[name], was=was, now=now, limit=QUALITY_LOSS))
    lost = _lost(before, after)
    if lost > COVERAGE_LOSS:
        found.append(say["less coverage"].format(share=lost, limit=COVERAGE_LOSS))
    if scores.surges_found is not None and scores.surges_found < SURGES_FOUND:
        of = before.alarms if before else None
        found.append(say["fewer surges"].format(share=scores.surges_found, of=of, limit=SURGES_FOUND))
    if scores.more_alarms_a_week is not None and scores.more_alarms_a_week > MORE_ALARMS:
        found.append(say["too many alarms"].format(more=scores.more_alarms_a_week, limit=MORE_ALARMS))
    return tuple(found)


def scales(messages: Sequence[Kept], before: Placed, after: Arm) -> dict[str, float]:
    """How many times as many of the same old messages each topic counts, where that is not the same.

    Topics that were merged are counted as one, before too, and what was split off with what it came from: the detector
    adds and divides what it knows of those by itself.
    """
    model = after.model
    live = {topic.id for topic in model.assignable}
    heirs = {topic.id: model.heir(topic.id) or topic.id for topic in model.topics}
    whole = {topic.id: topic.origin if topic.origin in live else topic.id for topic in model.topics}
    old = [row for row, one in enumerate(messages) if one.old]
    was = Counter(heirs.get(name, name) for row in old if (name := before[row]) is not None)
    now = Counter(whole[name] for row in old if (name := after.placed[row]) is not None)
    times = {
        name: now[name] / was[name]
        for name in was.keys() & now.keys()
        if was[name] >= LEAST_SCORED and now[name] != was[name]
    }
    return {name: times[of] for name, of in whole.items() if of in times and name in live}


def _lost(before: Side | None, after: Side) -> float:
    """The share of old messages that had a topic and have none."""
    if before is None or before.coverage_old is None or after.coverage_old is None:
        return 0.0
    return before.coverage_old - after.coverage_old


def _said(side: Mapping[str, Any] | None) -> Side | None:
    if side is None:
        return None
    quality = Grouping(**side["quality"]) if side["quality"] else None
    return Side(**{**side, "quality": quality})


def _side(messages: Sequence[Kept], arm: Arm, out: Sequence[int], alarms: Sequence[Raised] | None) -> Side:
    labelled = [row for row in out if messages[row].label]
    labels = [label for row in labelled if (label := messages[row].label)]
    scored = len(labelled) >= LEAST_SCORED and len(set(labels)) > 1
    return Side(
        coverage_old=_coverage([arm.placed[row] for row in out if messages[row].old]),
        coverage_new=_coverage([arm.placed[row] for row in out if not messages[row].old]),
        quality=grouping(arm.vectors[labelled], labels) if scored else None,
        alarms=None if alarms is None else len(alarms),
    )


def _coverage(placed: Placed) -> float | None:
    return round(float(np.mean([one is not None for one in placed])), 3) if len(placed) >= LEAST_SCORED else None


def _agreement(messages: Sequence[Kept], before: Placed, after: Arm, out: Sequence[int]) -> float | None:
    pairs = [(before[row], after.placed[row]) for row in out if messages[row].old and before[row] is not None]
    if len(pairs) < LEAST_SCORED:
        return None
    agree = [now is not None and was in _ancestors(after.model, now) for was, now in pairs]
    return round(float(np.mean(agree)), 3)


def _ancestors(model: TopicModel, name: TopicId) -> set[TopicId | None]:
    """A topic, the one it was split from, and those merged into it."""
    merged = {topic.id for topic in model.topics if topic.into == name and topic.state is TopicState.RETIRED}
    return {name, model.topic(name).origin, *merged}


def _alarms(messages: Sequence[Kept], placed: Placed) -> Sequence[Raised] | None:
    """What the detector would have raised over the second half of the kept weeks; None where they are too few."""
    customers: dict[tuple[TopicId, int], set[str]] = defaultdict(set)
    for one, topic in zip(messages, placed, strict=True):
        if one.old and one.at is not None and topic is not None:
            customers[topic, int(one.at // _BUCKET.total_seconds())].add(one.customer)
    buckets = [bucket for _, bucket in customers]
    if not buckets or (max(buckets) - min(buckets)) * _BUCKET < LEAST_SPAN:
        return None
    counts = _counts({key: len(who) for key, who in customers.items()})
    return run(counts, settings_for(counts, _BUCKET), (counts.first + counts.last + 1) // 2).alerts


def _counts(customers: Mapping[tuple[TopicId, int], int]) -> Counts:
    ordered = sorted(customers, key=lambda key: (key[1], key[0]))
    topics = sorted({topic for topic, _ in ordered})
    place = {topic: row for row, topic in enumerate(topics)}
    first = ordered[0][1]
    return Counts(
        topics=tuple(topics),
        born=np.full(len(topics), first, np.int64),
        row=np.array([place[topic] for topic, _ in ordered], np.int64),
        bucket=np.array([bucket for _, bucket in ordered], np.int64),
        customers=np.array([customers[key] for key in ordered], np.int64),
        first=first,
        last=ordered[-1][1],
    )


def _compared(
    before: Sequence[Raised], after: Sequence[Raised], model: TopicModel, weeks: float
) -> tuple[float | None, float, tuple[Missed, ...]]:
    """The share of alarms before that are there after, how many more there are a week, and which are not there."""

    def same(one: Raised, other: Raised) -> bool:
        return one.topic in _ancestors(model, other.topic) and abs(one.bucket - other.bucket) <= _SAME_SURGE

    missed = [one for one in before if not any(same(one, other) for other in after)]
    more = [not any(same(one, other) for one in before) for other in after]
    found = round(1 - len(missed) / len(before), 3) if before else None
    told = tuple(Missed(one.topic, one.bucket * _BUCKET.total_seconds()) for one in missed)
    return found, round(sum(more) / max(weeks, 1e-9), 2), told


def _weeks(messages: Sequence[Kept]) -> float:
    """That the backtest judges: the second half of the kept time."""
    times = [one.at for one in messages if one.old and one.at is not None]
    return (max(times) - min(times)) / timedelta(days=7).total_seconds() / 2
