"""Hidden cells: a bad batch in a busy topic is found, and what only sells well is not."""

import numpy as np
import pytest

from models.cells import Cells
from models.cellstate import Cell
from models.counted import Counted
from models.verdict import Outlook

BATCHES = ("A1", "A2", "B1", "C1")
Row = tuple[str, str, str, int]


def take(cells: Cells, at: int, rows: list[Row]) -> int:
    return cells.take(at, Counted.of(rows))


def outlook(expected: float = 20.0) -> Outlook:
    return Outlook(["heat", "late"], np.full((24, 2), expected), np.array([1.3, 1.3]), np.array([0.02, 0.02]))


def hour(rng: np.random.Generator, shares: dict[str, float], rate: float = 20.0) -> list[Row]:
    """An hour of two topics and of messages without one, all speaking of the same batches."""
    counted = []
    for topic, scale in (("heat", rate), ("late", rate), ("", 2 * rate)):
        drawn = {batch: int(rng.poisson(scale * share)) for batch, share in shares.items()}
        counted += [(topic, "", "", sum(drawn.values()))]
        counted += [(topic, "batch", batch, n) for batch, n in drawn.items() if n]
    return counted


def lived(hours: int = 300, seed: int = 0) -> tuple[Cells, np.random.Generator]:
    rng, cells = np.random.default_rng(seed), Cells(bucket_hours=1.0)
    for at in range(hours):
        take(cells, at, hour(rng, dict.fromkeys(BATCHES, 0.25)))
    return cells, rng


def test_a_bad_batch_in_a_busy_topic_is_found_by_name() -> None:
    cells, rng = lived()
    for at in range(300, 306):
        take(cells, at, [*hour(rng, dict.fromkeys(BATCHES, 0.25)), ("heat", "batch", "B1", 9)])
    first = cells.judge(outlook(), threshold=3.5)[0]
    assert (first.cell.topic, first.cell.attribute, first.cell.value) == ("heat", "batch", "B1")
    assert first.observed > first.upper_bound > first.expected
    assert first.lift > 1.5


def test_a_batch_that_sells_more_is_no_defect() -> None:
    cells, rng = lived(seed=1)
    for at in range(300, 324):
        take(cells, at, hour(rng, {"A1": 0.7, "A2": 0.1, "B1": 0.1, "C1": 0.1}))
    assert cells.judge(outlook(), threshold=3.5) == ()


def test_a_fresh_batch_is_expected_where_its_product_was() -> None:
    rng = np.random.default_rng(2)
    known, unknown = Cells(bucket_hours=1.0), Cells(bucket_hours=1.0)
    old, new = {"A1": 0.1, "B1": 0.9}, {"A2": 0.1, "B1": 0.9}
    for at in range(420):
        sold = old if at < 400 else new
        counted = []
        for topic, tie in (("heat", 8.0), ("late", 1.0), ("", 1.0)):
            drawn = {b: int(rng.poisson(20 * s * (tie if b[0] == "A" else 1.0))) for b, s in sold.items()}
            counted += [(topic, "batch", b, n) for b, n in drawn.items() if n]
            counted += [(topic, "product", b[0], n) for b, n in drawn.items() if n]
        known.relate({("batch", b): ("product", b[0]) for b in sold})
        take(known, at, counted)
        take(unknown, at, counted)
    due = Outlook(["heat", "late"], np.full((24, 2), [[34.0, 20.0]]), np.array([1.3, 1.3]), np.array([0.02, 0.02]))
    assert known.judge(due, threshold=3.5) == ()
    fresh = Cell("heat", "batch", "A2")
    assert unknown.scores(due)[fresh] > known.scores(due)[fresh] + 0.5


def test_the_batch_is_named_where_its_product_surges_with_it() -> None:
    cells, rng = Cells(bucket_hours=1.0), np.random.default_rng(3)
    kin = {("batch", b): ("product", b[0]) for b in BATCHES}
    for at in range(306):
        counted = hour(rng, dict.fromkeys(BATCHES, 0.25))
        counted += [("heat", "batch", "A2", 12)] if at >= 300 else []
        products = [(t, "product", v[0], n) for t, a, v, n in counted if a == "batch"]
        cells.relate(kin)
        take(cells, at, counted + products)
    assert next(v.cell.value for v in cells.judge(outlook(), threshold=3.5)) == "A2"


def test_cells_stop_and_start_anywhere_with_the_same_verdicts() -> None:
    whole, rng = lived(100, seed=4)
    kept = whole.pack()
    broken = Cells.unpack(kept)
    for at in range(100, 160):
        counted = [*hour(rng, dict.fromkeys(BATCHES, 0.25)), ("late", "batch", "C1", 6 if at > 150 else 0)]
        counted += [("late", "batch", f"new in {at}", 4)] if at % 5 == 0 else []
        assert take(whole, at, counted) == take(broken, at, counted)
        assert whole.judge(outlook(), threshold=1.0) == broken.judge(outlook(), threshold=1.0)
        if at % 3 == 0:
            kept |= broken.pack()
            broken.written()
        if at % 12 == 0:
            broken = Cells.unpack(kept)


def test_an_hour_writes_what_an_hour_changed() -> None:
    cells, rng = lived(100)
    assert {f"hour{slot}" for slot in range(24)} < cells.pack().keys()
    cells.written()
    take(cells, 100, hour(rng, dict.fromkeys(BATCHES, 0.25)))
    assert cells.pack().keys() == {"cells", "sums", "tables", "hour3", "hour4"}


def test_memory_is_bounded_and_keeps_what_is_heard_most() -> None:
    cells, rng = Cells(bucket_hours=1.0, most=50), np.random.default_rng(5)
    for at in range(72):
        rare = [("heat", "batch", f"r{int(n)}", 1) for n in rng.integers(0, 10_000, 40)]
        take(cells, at, [("heat", "batch", "A1", 10), ("", "batch", "A1", 10), *rare])
    kept = take(cells, 72, [])
    assert kept <= 50
    assert any(cell.value == "A1" for cell in cells.scores(outlook()))


def test_time_does_not_run_backwards() -> None:
    cells = Cells(bucket_hours=1.0)
    take(cells, 5, [])
    with pytest.raises(ValueError, match="not after"):
        take(cells, 5, [])
