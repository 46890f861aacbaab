"""The spans in which nobody listened are known afterwards, on every store."""

from datetime import UTC, datetime, timedelta

from service.store.redis import Store
from service.store.vigil import BEAT, BlindSpot, Vigil

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def test_a_gap_between_beats_is_a_blind_spot_told_once_whoever_beats_next(store: Store) -> None:
    one, other = Vigil(store), Vigil(store)
    await one.beat(NOW)
    await other.beat(NOW + 3 * HOUR)
    await one.beat(NOW + 3 * HOUR + BEAT)
    assert await one.blind(NOW) == [BlindSpot(NOW, NOW + 3 * HOUR)]
    assert await one.blind(NOW + 4 * HOUR) == []


async def test_neither_the_first_start_nor_a_quick_restart_is_a_blind_spot(store: Store) -> None:
    vigil = Vigil(store)
    for seconds in (0, 10, 20, 75):
        await vigil.beat(NOW + timedelta(seconds=seconds))
    assert await vigil.blind(NOW - HOUR) == []
