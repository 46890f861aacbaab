"""The month in hindsight: the detector beside plainer habits on the company's own counts, in hours and money."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from training.commands.hindsight import command

HOURS, ONSET = 24 * 28, 24 * 24 + 10


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """Four weeks of twelve topics by the hour; one surges for eight hours on a Thursday."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.geomspace(0.5, 20, 12), (HOURS, 12))
    counts[ONSET : ONSET + 8, 6] += 25
    bucket, topic = np.nonzero(counts)
    path = tmp_path / "counts.parquet"
    pq.write_table(pa.table({"topic": topic, "bucket": bucket, "customers": counts[bucket, topic]}), path)
    return path


def test_each_surge_is_told_with_who_noticed_it_when_and_what_it_cost_until_then(month: Path) -> None:
    app = typer.Typer(add_completion=False)
    app.command()(command)
    out = month.with_suffix(".json")
    done = CliRunner().invoke(app, [str(month), "--bucket-minutes", "60", "--days", "7", "--json", str(out)])
    assert done.exit_code == 0, done.output
    assert "weekly review" in done.output and "yuan" in done.output
    found = json.loads(out.read_text())
    (surge,) = [one for one in found["surges"] if one["topic"] == 6]
    noticed = surge["noticed"]
    assert surge["onset"] == pytest.approx(ONSET, abs=1)
    assert noticed["detector"]["hours"] <= 2
    assert noticed["weekly review"]["hours"] == pytest.approx(24 * 28 + 9 - surge["onset"], abs=1)
    assert noticed["detector"]["cost"] < noticed["weekly review"]["cost"] == pytest.approx(8 * 25 * 30, rel=0.3)
    assert found["methods"]["detector"]["noticed"] == len(found["surges"])
