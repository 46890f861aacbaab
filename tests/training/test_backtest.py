"""The backtest: scores that look at nothing later, alerts as the service would raise them, errors that help."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from numpy.typing import NDArray
from typer.testing import CliRunner

from training.backtest import run, settings_for
from training.commands.backtest import command
from training.counts import CountsError, read_counts

HOURS, TOPICS = 24 * 21, 12


def table(path: Path, counts: NDArray[np.int64], *, first: int = 0, **columns: Any) -> Path:
    """Write counts (T, J) with the zero rows left out."""
    bucket, topic = np.nonzero(counts)
    rows = {"topic": topic, "bucket": bucket + first, "customers": counts[bucket, topic]} | columns
    pq.write_table(pa.table(rows), path)
    return path


def counts(seed: int = 0) -> NDArray[np.int64]:
    rng, hour = np.random.default_rng(seed), np.arange(HOURS)
    made = rng.poisson((1 + 0.5 * np.sin(hour * 2 * np.pi / 24))[:, None] * np.geomspace(0.5, 30, TOPICS))
    made[450:456, 8] += 40
    return made


def call(*arguments: object) -> Any:
    app = typer.Typer(add_completion=False)
    app.command()(command)
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_every_topic_and_bucket_from_the_first_to_score_gets_a_score(tmp_path: Path) -> None:
    path = table(tmp_path / "c.parquet", counts())
    out, told = tmp_path / "s.parquet", tmp_path / "o.json"
    options = ("--bucket-minutes", 60, "--score-from", 300, "--season", "week", "--budget", 0.2)
    done = call(path, *options, "--scores", out, "--json", told)
    assert done.exit_code == 0, done.output
    scores = pq.read_table(out).to_pydict()
    assert len(scores["score"]) == (HOURS - 300) * TOPICS
    assert (min(scores["bucket"]), max(scores["bucket"])) == (300, HOURS - 1)
    best = int(np.argmax(scores["score"]))
    assert scores["topic"][best] == 8 and 450 <= scores["bucket"][best] <= 480
    report = json.loads(told.read_text())
    alert = next(one for one in report["alerts"] if one["topic"] == 8)
    assert 450 <= alert["onset"] <= alert["bucket"] <= 452
    assert alert["observed"] > alert["upper_bound"]
    assert [one["alerts"] for one in report["budgets"]] == sorted(one["alerts"] for one in report["budgets"])


def test_a_score_knows_nothing_of_what_comes_later(tmp_path: Path) -> None:
    made = counts(1)
    whole = run(*_given(tmp_path, made), 200)
    cut = made[:400].copy()
    cut[-1, 0] = max(cut[-1, 0], 1)  # a table ends with its last row that is not zero
    part = run(*_given(tmp_path, cut), 200)
    np.testing.assert_array_equal(whole.scores[:199], part.scores[:199])


def _given(folder: Path, made: NDArray[np.int64]) -> tuple[Any, Any]:
    read = read_counts(table(folder / "given.parquet", made))
    return read, settings_for(read, timedelta(hours=1))


def test_a_topic_has_scores_from_its_first_bucket_on(tmp_path: Path) -> None:
    made = counts(2)
    made[:350, 5] = 0
    topics = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({"topic": range(TOPICS), "first_seen_bucket": [350 if t == 5 else 0 for t in range(12)]}), topics
    )
    out = tmp_path / "s.parquet"
    path = table(tmp_path / "c.parquet", made)
    done = call(path, "--bucket-minutes", 60, "--score-from", 300, "--topics", topics, "--scores", out)
    assert done.exit_code == 0, done.output
    scores = pq.read_table(out).to_pylist()
    first = {topic: min(row["bucket"] for row in scores if row["topic"] == topic) for topic in (4, 5)}
    assert first == {4: 300, 5: 350}


def test_buckets_of_the_epoch_and_buckets_from_a_monday_give_the_same(tmp_path: Path) -> None:
    monday = (20_000 - (20_000 - 4) % 7) * 24  # 1970-01-05 was a Monday
    made = counts(3)
    numbered = run(*_given(tmp_path, made), 300)
    read = read_counts(table(tmp_path / "epoch.parquet", made, first=monday))
    since = run(read, settings_for(read, timedelta(hours=1)), monday + 300)
    np.testing.assert_allclose(numbered.scores, since.scores, atol=1e-6)


def test_weekly_counts_have_a_yearly_season(tmp_path: Path) -> None:
    rng, weeks = np.random.default_rng(4), np.arange(300)
    made = rng.poisson(np.repeat(10 * np.exp(np.cos(2 * np.pi * weeks / 52))[:, None], 6, 1))
    made[290, 3] += 80
    out = tmp_path / "s.parquet"
    path = table(tmp_path / "c.parquet", made, first=1)
    done = call(path, "--bucket-minutes", 10080, "--score-from", 250, "--season", "year", "--scores", out)
    assert done.exit_code == 0, done.output
    scores = pq.read_table(out).to_pydict()
    best = int(np.argmax(scores["score"]))
    assert (scores["topic"][best], scores["bucket"][best]) == (3, 291)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"topic": [1], "bucket": [2]}, "column 'customers' is missing; there are topic, bucket"),
        ({"topic": [1], "bucket": [2], "customers": ["many"]}, "'customers' is of type string"),
        ({"topic": [1], "bucket": [2], "customers": [-1]}, "'customers' holds -1"),
        ({"topic": [1, 1], "bucket": [2, None], "customers": [1, 1]}, "'bucket' has 1 empty values"),
        (
            {
                "topic": pa.array([], pa.int64()),
                "bucket": pa.array([], pa.int64()),
                "customers": pa.array([], pa.int64()),
            },
            "no rows",
        ),
    ],
)
def test_a_table_that_cannot_be_read_says_which_column_and_why(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    path = tmp_path / "c.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(CountsError, match=message):
        read_counts(path)


def test_customers_before_a_topic_was_first_seen_are_a_mistake(tmp_path: Path) -> None:
    topics = tmp_path / "t.parquet"
    pq.write_table(pa.table({"topic": [0], "first_seen_bucket": [30]}), topics)
    with pytest.raises(CountsError, match="before its first_seen_bucket 30"):
        read_counts(table(tmp_path / "c.parquet", counts()), topics)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--bucket-minutes", 7), "divide an hour"),
        (("--bucket-minutes", 60, "--season", "year"), "season 'week'"),
        (("--bucket-minutes", 60, "--score-from", 9_999), "outside the counts"),
        (("--bucket-minutes", 60, "--budget", 0), "above 0"),
    ],
)
def test_an_option_that_cannot_be_is_refused_with_a_reason(
    tmp_path: Path, arguments: tuple[object, ...], message: str
) -> None:
    done = call(table(tmp_path / "c.parquet", counts()), *arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.output.replace("│", " ").split())


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    path.write_text("topic,bucket,customers\n")
    with pytest.raises(CountsError, match=r"c\.parquet: cannot be read as Parquet"):
        read_counts(path)
