"""The topics after a retraining: former ones in the new space, those that labels and dense places add, and none lost.

What people named comes first, then what was known, then what is dense among the rest (HDBSCAN). A former topic stays
as long as nothing says otherwise: labels split and merge, silence retires, words of people are kept.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from models.bridge import Embed, moved, same_space
from models.discovery import DiscoverySettings, discover
from models.embed import Centring, Language, Vectors, language_of, unit
from models.identity import proposals
from models.leaning import Leanings, mean_of
from models.neighbours import nearest_within
from models.portrait import shape_of
from models.terms import describe
from models.topic import Exemplar, Topic, TopicId, TopicState
from models.topics import TopicModel
from training.kept import Kept
from training.matching import match
from training.stretch import Settled

_EXEMPLARS = 5
_LEAST_LABELLED = 3  # different messages of a label, of which a place can be told
_MOST_OF = 0.5  # of the old messages of a new topic in one former one: it was split from that
_LEAST_REFIT = 8  # members by which a place is measured anew, or a split is told
_CHANGED = 0.25  # of a former topic's messages must have come or gone, for it to be measured anew
_SILENT = timedelta(days=28)  # the service looks back so far for a topic's past
_NONE = np.empty(0, np.intp)
_SILENT_AMONG = 2_000  # old messages without a single one of the topic


@dataclass(frozen=True, slots=True)
class Regrouping:
    """``model`` has ids beginning with ``new-`` for new topics; ``members`` are the rows of each topic."""

    model: TopicModel
    members: dict[TopicId, NDArray[np.intp]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What is regrouped: messages (n) to learn from, their unit vectors after ``centring`` (n, d), leanings and former topics.

    ``former`` is of old messages alone: of a category that is new, the former topics say nothing. ``turned`` carries
    directions of the former space here; None where there is none to carry, or no old message to learn it from.
    ``settled`` says where former topics are behind a stretch; None where there is none.
    """

    messages: Sequence[Kept]
    vectors: Vectors
    centring: Centring
    former: Sequence[TopicId | None]
    embedder: str
    embed: Embed = field(repr=False)
    leanings: Leanings
    turned: NDArray[np.float32] | None = None
    settled: Settled | None = None


def regroup(
    ground: Ground, live: TopicModel | None, now: datetime, settings: DiscoverySettings | None = None
) -> Regrouping:
    """The topics of ``ground``, of which ``live`` are the former ones; none of their ids is lost."""
    settings = settings or DiscoverySettings()
    formers = {
        topic.id: rows for topic in (live.assignable if live else ()) if len(rows := _rows(ground.former, topic.id))
    }
    groups, names = _groups(ground, formers, settings)
    same = {one.group: one.topic for one in match(groups, formers, ground.vectors, settings.same_topic)}
    members = _members(ground, formers, groups, same)
    blank = TopicModel(ground.embedder, ground.centring)
    described = describe([[ground.messages[row].gist for row in rows] for rows in groups])
    known = _known(ground, live, members, blank, settings) if live else ()
    found = [
        replace(
            _topic(ground, members[name], name, now, settings),
            terms=words.terms, labels=words.labels, names=_called(label), origin=_origin(ground.former, rows),
        )
        for number, (rows, label, words) in enumerate(zip(groups, names, described, strict=True))
        if number not in same and len(members[name := _new(number)])
    ]  # fmt: skip
    named = {topic: _called(names[number]) for number, topic in same.items()}
    kept = [replace(topic, names=topic.names or named.get(topic.id, {})) for topic in known]
    constraints = live.constraints if live else blank.constraints
    model = replace(blank, topics=(*kept, *found), constraints=constraints)
    return Regrouping(_merged(model, {topic.id for topic in kept}, settings), members)


def _groups(
    ground: Ground, formers: dict[TopicId, NDArray[np.intp]], settings: DiscoverySettings
) -> tuple[list[NDArray[np.intp]], list[str | None]]:
    """Rows of each new group, and the label that named it: labels with what lies around them, then dense places."""
    labels = [one.label for one in ground.messages]
    texts = [one.text for one in ground.messages]
    names = [
        name
        for name in sorted({label for label in labels if label})
        if len({texts[row] for row in _rows(labels, name)}) >= _LEAST_LABELLED
    ]
    groups = [_rows(labels, name) for name in names]
    loose = np.array([row for row, name in enumerate(labels) if name is None], np.intp)
    if groups and len(loose):
        # Old messages go where they are nearest, so that labels take a part out of a topic and no more.
        shapes = [shape_of(ground.vectors[rows], settings.radius_share) for rows in (*groups, *formers.values())]
        places, radii = zip(*shapes, strict=True)
        near = nearest_within(ground.vectors[loose], np.stack(places), np.array(radii, np.float32))
        taken = (near >= 0) & (near < len(groups))
        groups = [np.union1d(rows, loose[near == number]) for number, rows in enumerate(groups)]
        loose = loose[~taken]
    free = np.array([row for row in loose if ground.former[row] is None], np.intp)
    customers = [ground.messages[row].customer for row in free]
    dense = (
        discover(
            ground.vectors[free], customers, [texts[row] for row in free], settings, leanings=ground.leanings[free]
        )
        if len(free)
        else []
    )
    return groups + [free[one.rows] for one in dense], [*names, *[None] * len(dense)]


def _members(
    ground: Ground,
    formers: dict[TopicId, NDArray[np.intp]],
    groups: Sequence[NDArray[np.intp]],
    same: dict[int, TopicId],
) -> dict[TopicId, NDArray[np.intp]]:
    """The rows of every topic: a labelled message is of its label's, every other where it was, or of its new group."""
    taken = np.concatenate(groups) if groups else _NONE
    members = {name: np.setdiff1d(rows, taken) for name, rows in formers.items()}
    for number, rows in enumerate(groups):
        name = same.get(number, _new(number))
        members[name] = np.union1d(members.get(name, _NONE), rows)
    return members


def _known(
    ground: Ground,
    live: TopicModel,
    members: dict[TopicId, NDArray[np.intp]],
    blank: TopicModel,
    settings: DiscoverySettings,
) -> list[Topic]:
    """Every former topic as it is from now on."""
    places = _places(ground, live, members, blank, settings)
    silent = _silent(ground)
    found = []
    for topic in live.topics:
        place = places[topic.id]
        kept = replace(topic, centroid=place.centroid, radius=place.radius, size=place.size, leaning=place.leaning)
        if silent and topic.id not in members and live.heir(topic.id) == topic.id:
            kept = replace(kept, state=TopicState.RETIRED)
        found.append(kept)
    return found


def _places(
    ground: Ground,
    live: TopicModel,
    members: dict[TopicId, NDArray[np.intp]],
    blank: TopicModel,
    settings: DiscoverySettings,
) -> dict[TopicId, Topic]:
    """Where every former topic lies: measured anew where labels changed what it is, else where it was."""
    refit = [
        _topic(ground, rows, topic.id, topic.born, settings)
        for topic in live.assignable
        if len(rows := members.get(topic.id, _NONE)) >= _LEAST_REFIT
        and len(np.setxor1d(rows, old := _rows(ground.former, topic.id))) > _CHANGED * len(old)
    ]
    known = {topic.id for topic in refit}
    stay = [topic for topic in live.topics if topic.id not in known]
    if ground.settled is not None:
        stay = [ground.settled.of(topic) for topic in stay]
    elif ground.turned is not None:
        stay = [replace(topic, centroid=unit((topic.centroid @ ground.turned)[None])[0]) for topic in stay]
    elif not same_space(live, blank):
        stay = moved(stay, live, replace(blank, topics=tuple(refit)), ground.embed)
    return {topic.id: topic for topic in (*refit, *stay)}


def _merged(model: TopicModel, known: set[TopicId], settings: DiscoverySettings) -> TopicModel:
    """With former topics that turn out the same as one, the smaller under the larger; never against a word."""
    for pair in proposals(model, settings.same_topic):
        larger, smaller = sorted((model.topic(pair.one), model.topic(pair.other)), key=lambda topic: -topic.size)
        both_live = TopicState.RETIRED not in (larger.state, smaller.state)
        if both_live and {larger.id, smaller.id} <= known:
            model = model.put(replace(smaller, state=TopicState.RETIRED, into=larger.id))
    return model


def _silent(ground: Ground) -> bool:
    """Whether enough was kept for long enough that a topic without a message has ended."""
    times = [one.at for one in ground.messages if one.old and one.at is not None]
    return len(times) >= _SILENT_AMONG and max(times) - min(times) >= _SILENT.total_seconds()


def _topic(ground: Ground, rows: NDArray[np.intp], name: TopicId, born: datetime, settings: DiscoverySettings) -> Topic:
    centroid, radius = shape_of(ground.vectors[rows], settings.radius_share)
    order = rows[np.argsort(-(ground.vectors[rows] @ centroid), kind="stable")]
    nearest = {ground.messages[row].text: Exemplar("", ground.messages[row].text) for row in order[: 4 * _EXEMPLARS]}
    return Topic(
        name,
        centroid,
        radius,
        len(rows),
        born,
        exemplars=tuple(nearest.values())[:_EXEMPLARS],
        leaning=mean_of(ground.leanings[rows]),
    )


def _origin(former: Sequence[TopicId | None], rows: NDArray[np.intp]) -> TopicId | None:
    """The topic that a new group was split from: most of its old messages were there, and enough to tell."""
    counts = Counter(name for row in rows if (name := former[row]) is not None)
    there, count = counts.most_common(1)[0] if counts else (None, 0)
    return there if count >= _LEAST_REFIT and count > _MOST_OF * counts.total() else None


def _called(label: str | None) -> dict[Language, str]:
    return {} if label is None else {language_of(label): label.replace("_", " ")}


def _new(number: int) -> TopicId:
    return TopicId(f"new-{number + 1}")


def _rows(names: Sequence[str | None], name: str) -> NDArray[np.intp]:
    return np.array([row for row, one in enumerate(names) if one == name], np.intp)
