"""Exposure at work: evidence of complaints gets its figures per 1,000 orders, of the culprit's where those are known."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from models.buckets import BUCKETS_PER_HOUR, bucket_of
from models.culprit import PAIR, Cell
from models.evidence import Evidence
from models.exposure import LAG, Days, Hours, Pace, Rate, falling_due, rate_of, spans, usual_lag
from service.store.shipped import Shipped

Said = Callable[[Cell | None, int, int], Awaitable[Hours]]
"""Complaining customers by hour, in all or with one attribute value, over the hours ``[first, last)``."""

_PAST = 14 * 24  # hours that complaints before are taken from: as long as counts by value are kept
_LEARN = 35  # days that the usual lag is read off
_REACH = 35  # days before those on which orders still count
_MOST_ONSET = 7 * 24  # an open episode is counted at most this far back


class Exposure:
    """Rate what evidence tells. Where nobody posts orders nothing is read and nothing changes."""

    def __init__(self, shipped: Shipped) -> None:
        self._shipped = shipped

    async def rated(self, evidence: Evidence, said: Said) -> Evidence:
        """The evidence with its rates: of the first culprit whose orders are known, and of everything."""
        known = await self._shipped.known()
        end = -(-bucket_of(evidence.window.end) // BUCKETS_PER_HOUR)
        begin = max(min(_hour(evidence.onset), _hour(evidence.window.start)), end - _MOST_ONSET)
        shipped = await self._shipped.days(*_days(begin, end))
        if not shipped:
            return evidence
        complaints = await said(None, begin - _LEARN * 24, end)
        lag = usual_lag(_by_day(complaints, begin), shipped)
        whole = self._of(None, complaints, shipped, lag, begin, end)
        cells = [cell for cell in evidence.cells if PAIR not in cell[0]]
        cell = next((one for one in cells if one[0] in known), None)
        if cell is None:
            # What the culprit's orders did is not known, and those of all do not excuse it.
            rates = (whole,) if not cells or whole is None else (replace(whole, pace=_unless(whole)),)
            return replace(evidence, rates=tuple(one for one in rates if one))
        theirs = await self._shipped.days(*_days(begin, end), cell)
        mine = self._of(cell, await said(cell, begin - _PAST, end), theirs, lag, begin, end)
        if mine is not None and mine.before is None and whole is not None:
            mine = replace(mine, before=whole.before)  # a new batch is held against everything
        return replace(evidence, rates=tuple(one for one in (mine, whole) if one))

    @staticmethod
    def _of(cell: Cell | None, said: Hours, shipped: Days, lag: float, begin: int, end: int) -> Rate | None:
        due = falling_due(shipped, lag, (begin - _PAST) // 24, end // 24)
        now, before = spans(said, due, begin, end, begin - _PAST)
        return rate_of(now, before, lag, cell, same=before.orders > 0)

    async def due(self, first: datetime, last: datetime) -> Days:
        """Orders that fall due on each day of a span, at the usual lag; empty where none were posted."""
        begin, end = int(first.timestamp() // 86_400), int(last.timestamp() // 86_400)
        shipped = await self._shipped.days(begin - _REACH, end)
        return falling_due(shipped, LAG, begin, end) if shipped else {}


def _unless(rate: Rate) -> Pace:
    return Pace.unknown if rate.pace is Pace.in_step else rate.pace


def _hour(at: datetime) -> int:
    return bucket_of(at) // BUCKETS_PER_HOUR


def _days(begin: int, end: int) -> tuple[int, int]:
    """The days whose orders matter to hours ``[begin, end)`` and their past."""
    return begin // 24 - _LEARN - _REACH, end // 24


def _by_day(said: Hours, end: int) -> dict[int, float]:
    """Complaints of whole days before an hour, from the first that had any."""
    found: dict[int, float] = {}
    for hour, count in said.items():
        found[hour // 24] = found.get(hour // 24, 0.0) + count
    first, last = min(found, default=0) + 1, end // 24
    return {day: found.get(day, 0.0) for day in range(first, last)}
