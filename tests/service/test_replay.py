"""A sales peak in a replay: the same complaints ring without the orders behind them, and are excused with them."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from models.embed import Vectors, unit
from models.message import RawMessage
from service.commands.replay import Replay, read_orders
from service.settings import load_settings
from service.store.alerts import Filed
from service.store.embedded import EmbeddedStore
from service.store.shipped import Posted

ISSUES = ("zip broke", "parcel late", "refund missing", "app crashes", "coupon refused")
FIRST, DAYS, A_DAY, PEAK = datetime(2026, 3, 2, tzinfo=UTC), 7, 14, 60
LAST = FIRST + timedelta(days=DAYS - 1)
DIMENSION = 16


class Hearing:
    """An embedder that hears the issue, and of each wording a little of its own."""

    dimension, name = DIMENSION, "hearing@1"

    def embed(self, texts: Sequence[str]) -> Vectors:
        directions = unit(np.random.default_rng(3).normal(size=(len(ISSUES), DIMENSION)))
        rows = []
        for text in texts:
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
            issue = next((number for number, one in enumerate(ISSUES) if one in text), 0)
            rows.append(directions[issue] + 0.1 * np.random.default_rng(seed).normal(size=DIMENSION))
        return unit(np.array(rows))


def messages() -> list[RawMessage]:
    """A steady week of five issues, and on the last day sixty more customers within six hours whose zip broke."""
    rng, found = np.random.default_rng(0), []
    for day in range(DAYS):
        for issue in ISSUES:
            found += [
                (FIRST + timedelta(days=day, hours=float(rng.uniform(0, 24))), issue) for _ in range(rng.poisson(A_DAY))
            ]
    found += [(LAST + timedelta(hours=9 + float(rng.uniform(0, 6))), ISSUES[0]) for _ in range(PEAK)]
    return [
        RawMessage(
            text=f"the {issue} {chr(97 + n % 26)}{chr(97 + n // 26 % 26)}",
            id=f"m{n}",
            source="test",
            customer_id=f"c{n}",
            occurred_at=at,
        )
        for n, (at, issue) in enumerate(sorted(found))
    ]


async def replayed(folder: Path, shipped: Sequence[Posted]) -> list[Filed]:
    """The alerts on broken zips of the last day."""
    settings = load_settings(
        time="event", indicators_part=0, discover_first=200, keep_counts=timedelta(days=4_000),
        keep_cells=timedelta(days=4_000), keep_orders=timedelta(days=4_000), data_dir=folder,
    )  # fmt: skip
    with EmbeddedStore(folder / "store", durable=False) as at:
        replay = Replay(settings, at.url, Hearing(), Console(quiet=True))
        report = await replay.run(messages(), [], LAST, shipped)
    return [one for one in report.alerts if any("zip" in sample.text for sample in one.alert.evidence.samples)]


def orders(folder: Path, last: int) -> list[Posted]:
    """A hundred orders a day, and on the last day so many."""
    days = [(FIRST + timedelta(days=day)).date() for day in range(-35, DAYS)]
    lines = [f"{day},{last if day == LAST.date() else 100}" for day in days]
    file = folder / "orders.csv"
    file.write_text("\n".join(["day,orders", *lines]))
    return read_orders(file)


@pytest.mark.parametrize("sold", [100, 40_000], ids=["as usual", "a peak"])
async def test_what_sold_so_much_more_is_no_defect(tmp_path: Path, sold: int) -> None:
    alerts = await replayed(tmp_path, orders(tmp_path, sold))
    assert alerts
    told = {(one.alert.evidence.excused, str(one.alert.severity)) for one in alerts}
    if sold > 100:
        assert told == {(True, "info")}
    else:
        assert told & {(False, "warning"), (False, "critical")} and not any(excused for excused, _ in told)
