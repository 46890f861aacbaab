"""The witness: gathers the evidence of a surge from detector, counts and kept messages."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from models.buckets import BUCKET, BUCKETS_PER_HOUR, end_of, start_of
from models.culprit import Cell, Culprit, find_culprits
from models.detector import Detector
from models.evidence import CulpritFigures, CurvePoint, Evidence, Sample
from models.samples import choose_samples
from models.series import hourly_curve, window_of
from models.surge import Surge
from models.topic import Topic
from service.pipeline.worker import centred
from service.store.counts import Counts
from service.store.model import ModelStore
from service.store.pools import Held, Pools, of_space
from service.views import topic_name

Cells = Mapping[str, Counter[str]]

_CANDIDATES = 160  # newest messages of the topic that samples are chosen from
_CURVE = timedelta(hours=72)  # what the detector remembers by the hour and less
_AFFINITY = timedelta(days=7)  # the past that tells which products a topic always spoke of
_SAME_DAYS = timedelta(days=2)  # what else was said of which products, batches being sold and replaced by the day
_MOST_ONSET = timedelta(days=7)  # an open episode is counted at most this far back


@dataclass(frozen=True, slots=True)
class WitnessRules:
    samples: int = 8


class Witness:
    """Testify for one surge at one bucket."""

    def __init__(self, counts: Counts, pools: Pools, models: ModelStore, rules: WitnessRules = WitnessRules()) -> None:
        self._counts = counts
        self._pools = pools
        self._models = models
        self._rules = rules

    async def testify(
        self, detector: Detector, topic: Topic, surge: Surge, bucket: int, extra: float = 0.0
    ) -> Evidence:
        """All that an alert shows of a surge as of ``bucket``; ``extra`` is what the topic must score beyond the
        threshold."""
        explanation = detector.explain(topic.id, extra=extra)
        telling = explanation.telling
        first = max(min(surge.onset, telling.first), bucket - _MOST_ONSET // BUCKET)
        counted = await self._counts.buckets(range(first, bucket + 1))
        culprits = await self.culprits(topic.id, first, bucket)
        return Evidence(
            topic=topic_name(topic),
            window=window_of(telling),
            onset=start_of(surge.onset),
            customers=sum(one.customers.get(topic.id, 0) for one in counted),
            messages=sum(one.messages.get(topic.id, 0) for one in counted),
            windows=tuple(window_of(one) for one in explanation.spoke),
            culprits=tuple(
                CulpritFigures(one.attribute, one.value, one.observed, one.expected, one.lift, one.p)
                for one in culprits
            ),
            samples=await self._samples(
                topic, first, bucket, (culprits[0].attribute, culprits[0].value) if culprits else None
            ),
            curve=await self._curve(detector, topic.id, bucket),
            contributions={factor.name: factor.times for factor in explanation.factors},
        )

    async def culprits(self, topic: str, first: int, last: int) -> tuple[Culprit, ...]:
        """Values over-represented since the onset, beside the other messages of the same days.

        Days, not hours: a part of a surge goes to neighbouring topics or to none, and among the few other messages
        of the same hours it would pass for what is usual.
        """
        during = await self._counts.cells(first, last)
        lately = await self._counts.cells(min(first, last - _SAME_DAYS // BUCKET), last)
        hour = first // BUCKETS_PER_HOUR
        before = await self._counts.cells_of_hours(range(hour - _AFFINITY // timedelta(hours=1), hour))
        return find_culprits(
            during.get(topic, {}), _others(lately, topic), before.get(topic, {}), _others(before, topic)
        )

    async def testify_part(self, detector: Detector, topic: Topic, cell: Cell, first: int, last: int) -> Evidence:
        """What is known of the customers of a topic with one attribute value in buckets ``first`` to ``last``; window,
        customers and curve are the whole topic's."""
        explanation = detector.explain(topic.id)
        culprits = await self.culprits(topic.id, first, last)
        window = window_of(explanation.telling)
        return Evidence(
            topic=topic_name(topic),
            window=window,
            onset=start_of(first),
            customers=int(window.observed),
            messages=0,
            windows=(window,),
            culprits=tuple(
                CulpritFigures(one.attribute, one.value, one.observed, one.expected, one.lift, one.p)
                for one in culprits
            ),
            samples=await self._samples(topic, first, last, cell),
            curve=await self._curve(detector, topic.id, last),
        )

    async def said(self, topic: str, cell: Cell | None, first: int, last: int) -> Mapping[int, float]:
        """Customers of a topic by hour over ``[first, last)``, in all or with one attribute value."""
        if cell is not None:
            return await self._counts.by_hour(topic, cell, first, last)
        history = await self._counts.history([topic], first * BUCKETS_PER_HOUR, last * BUCKETS_PER_HOUR - 1)
        found: Counter[int] = Counter()
        for bucket, count in history[topic].items():
            found[bucket // BUCKETS_PER_HOUR] += count
        return found

    async def _samples(self, topic: Topic, first: int, last: int, prefer: Cell | None) -> tuple[Sample, ...]:
        """Messages of the surge: typical of it and not of before, of different customers, the culprit's first."""
        held = await self._pools.samples(topic.id, _CANDIDATES)
        model = (await self._models.current()).model
        held = of_space(held, model.embedder) if model else held
        inside = [one for one in held if start_of(first) <= one.message.occurred_at < end_of(last)]
        before = [one for one in held if one.message.occurred_at < start_of(first)]
        chosen = choose_samples(
            [one.message for one in inside],
            centred(model, inside) if model else None,
            centred(model, before) if model else None,
            prefer=prefer,
            most=self._rules.samples,
        )
        return tuple(sample_of(inside[row]) for row in chosen)

    async def _curve(self, detector: Detector, topic: str, last: int) -> tuple[CurvePoint, ...]:
        first = last + 1 - _CURVE // BUCKET
        history = await self._counts.history([topic], first, last)
        return hourly_curve(detector, topic, history[topic], first, last)


def _others(cells: Mapping[str, Cells], topic: str) -> dict[str, Counter[str]]:
    """Counts by attribute and value of every message that is not of the topic, noise and chatter among them."""
    others: dict[str, Counter[str]] = {}
    for name, counted in cells.items():
        if name != topic:
            for attribute, values in counted.items():
                others.setdefault(attribute, Counter()).update(values)
    return others


def sample_of(held: Held) -> Sample:
    """A kept message as an alert shows it."""
    message = held.message
    return Sample(
        message.id, message.source, message.text, message.occurred_at, dict(message.attributes), message.order_id,
        message.customer,
    )  # fmt: skip
