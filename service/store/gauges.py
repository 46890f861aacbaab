"""Observations of indicators, added up: by bucket, and by hour and attribute value. No single one is kept."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson

from models.buckets import BUCKETS_PER_HOUR, bucket_of
from models.indicator import Tally
from service.store import keys
from service.store.codec import FIELD_SEPARATOR
from service.store.inbox import Accepted
from service.store.redis import Store, hashes_by_bucket, store_errors
from service.store.script import Call

_N, _TOTAL, _BIN = "n", "s", "b"
LATE = timedelta(hours=1)
"""After so long an observation is history: whoever judges has passed it."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One observation on its way in; ``id`` names it among those of its indicator."""

    indicator: str
    id: str
    occurred_at: datetime
    tally: Tally
    attributes: Mapping[str, str] = field(default_factory=dict)


class Gauges:
    """Add observations up; read them back."""

    def __init__(self, store: Store, *, partitions: int, seen: timedelta, buckets: timedelta, cells: timedelta) -> None:
        self._store = store
        self._partitions = partitions
        self._days = max(1, seen // timedelta(days=1))
        self._keep = (_seconds(timedelta(days=self._days + 1)), _seconds(buckets), _seconds(cells))

    async def observe(self, observations: Sequence[Observation], now: datetime) -> list[Accepted]:
        """Add them up; answers for each whether it was new. Raises `StoreAway`: the same call again takes the rest and
        doubles nothing."""
        by_partition: dict[int, list[int]] = defaultdict(list)
        for i, one in enumerate(observations):
            name = f"{one.indicator}{FIELD_SEPARATOR}{one.id}"
            by_partition[keys.partition_of(name, self._partitions)].append(i)
        answer = [Accepted.accepted] * len(observations)
        with store_errors():
            calls = [
                self._observe(partition, [observations[i] for i in rows], now)
                for partition, rows in by_partition.items()
            ]
            taken = await self._store.scripts["observe"].each(calls)
        for rows, marks in zip(by_partition.values(), taken, strict=True):
            for i, new in zip(rows, marks, strict=True):
                answer[i] = Accepted.accepted if new else Accepted.duplicate
        return answer

    def _observe(self, partition: int, observations: Sequence[Observation], now: datetime) -> Call:
        today = int(now.timestamp() // 86_400)
        seen = [keys.observed(partition, today - back) for back in range(self._days + 1)]
        times = [f"{one.timestamp():.3f}" for one in (now, now - LATE)]
        args: list[object] = [keys.partition(partition), *self._keep, *times]
        for one in observations:
            bucket = bucket_of(one.occurred_at)
            args += [_digest(one), f"{one.occurred_at.timestamp():.3f}", bucket, bucket // BUCKETS_PER_HOUR, _said(one)]
        return [keys.gauge_span(partition), *seen, keys.guard(partition)], args

    async def span(self) -> tuple[datetime, datetime] | None:
        """The oldest and the newest time of any observation; None before the first."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for partition in range(self._partitions):
                pipe.hmget(keys.gauge_span(partition), ["oldest", "newest"])
            found = [[float(one) for one in pair] for pair in await pipe.execute() if pair[0] is not None]
        if not found:
            return None
        oldest, newest = min(pair[0] for pair in found), max(pair[1] for pair in found)
        return datetime.fromtimestamp(oldest, tz=UTC), datetime.fromtimestamp(newest, tz=UTC)

    async def came_late(self) -> datetime | None:
        """When an observation came last that was more than `LATE` old; None where none ever did."""
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for partition in range(self._partitions):
                pipe.hget(keys.gauge_span(partition), "late")
            found = [float(one) for one in await pipe.execute() if one is not None]
        return datetime.fromtimestamp(max(found), tz=UTC) if found else None

    async def buckets(self, buckets: Sequence[int]) -> list[dict[str, Tally]]:
        """What was observed in each bucket, by indicator."""
        hashes = await hashes_by_bucket(self._store, keys.gauges, buckets, self._partitions)
        return [_tallies(parts) for parts in hashes]

    async def cells(self, indicator: str, first: int, last: int) -> dict[tuple[str, str], Tally]:
        """What was observed by attribute and value in the hours that hold the buckets ``[first, last]``."""
        raw: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        with store_errors():
            pipe = self._store.client.pipeline(transaction=False)
            for hour in range(first // BUCKETS_PER_HOUR, last // BUCKETS_PER_HOUR + 1):
                for partition in range(self._partitions):
                    pipe.hgetall(keys.gauge_cells(partition, hour))
            for fields in await pipe.execute():
                for name, amount in fields.items():
                    found, attribute, value, part = name.decode().split(FIELD_SEPARATOR)
                    if found == indicator:
                        raw[attribute, value][part] += float(amount)
        return {cell: _tally(parts) for cell, parts in raw.items()}


def _said(one: Observation) -> bytes:
    parts = {_N: one.tally.n, _TOTAL: one.tally.total} | {f"{_BIN}{bin_}": n for bin_, n in one.tally.bins.items()}
    tally = {_field(one.indicator, part): amount for part, amount in parts.items() if amount}
    cells = {
        _field(one.indicator, attribute, value, part): amount
        for attribute, value in one.attributes.items()
        for part, amount in parts.items()
        if amount
    }
    return orjson.dumps({"tally": tally, "cells": cells})


def _field(*parts: str) -> str:
    return FIELD_SEPARATOR.join(parts)


def _digest(one: Observation) -> bytes:
    return hashlib.blake2b(_field(one.indicator, one.id).encode(), digest_size=12).digest()


def _tallies(parts: Iterable[Mapping[bytes, bytes]]) -> dict[str, Tally]:
    raw: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for fields in parts:
        for name, amount in fields.items():
            indicator, part = name.decode().split(FIELD_SEPARATOR)
            raw[indicator][part] += float(amount)
    return {indicator: _tally(found) for indicator, found in raw.items()}


def _tally(parts: Mapping[str, float]) -> Tally:
    bins = Counter({int(part[1:]): amount for part, amount in parts.items() if part.startswith(_BIN)})
    return Tally(parts.get(_N, 0.0), parts.get(_TOTAL, 0.0), bins)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
