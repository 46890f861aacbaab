"""The synthesised stream: the same for the same seed, seasonal, with its events where the truth says."""

import csv
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer

from training.__main__ import COMMANDS, build
from training.phrase import fill, slip
from training.plan import CHINA, Plan, Settings, SettingsError, plan
from training.planted import KINDS, Planted
from training.rows import COLUMNS, Row, SuffixError, write_rows
from training.season import HOUR_OF_DAY
from training.synthesize import draw, synthesize

SMALL = Settings(seed=3, days=4, per_day=200)


@pytest.fixture(scope="module")
def week() -> tuple[Plan, list[Row]]:
    planned = plan(Settings(events=KINDS))
    return planned, list(draw(planned))


def at(row: Row) -> datetime:
    return datetime.fromisoformat(row.occurred_at)


def event_of(planned: Plan, kind: str) -> Planted:
    return next(event for event in planned.planted if event.kind == kind)


def rows_of(rows: list[Row], event: Planted) -> list[Row]:
    return [row for row in rows if row.event == event.id]


def within(rows: list[Row], issue: str | None, start: datetime, end: datetime) -> list[Row]:
    return [row for row in rows if issue in (None, row.issue) and start <= at(row) < end]


# ---- the same, in order, whole


def test_the_same_seed_gives_the_same_stream_and_another_seed_another() -> None:
    again = Settings(seed=3, days=4, per_day=200)
    assert list(synthesize(SMALL)) == list(synthesize(again))
    assert list(synthesize(SMALL)) != list(synthesize(Settings(seed=4, days=4, per_day=200)))


def test_a_stream_of_which_half_is_read_is_the_half_of_the_whole() -> None:
    assert list(islice(synthesize(SMALL), 300)) == list(synthesize(SMALL))[:300]


def test_rows_come_in_order_of_time_with_ids_of_their_own(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    assert [row.occurred_at for row in rows] == sorted(row.occurred_at for row in rows)
    assert len({row.message_id for row in rows}) == len(rows)
    assert planned.settings.start <= at(rows[0])
    assert at(rows[-1]) < planned.settings.end


def test_no_slot_is_left_open_and_no_text_is_empty(week: tuple[Plan, list[Row]]) -> None:
    assert all(row.text.strip() and "{" not in row.text for row in week[1])


def test_the_plan_knows_how_many_rows_will_come() -> None:
    planned = plan(SMALL)
    assert len(list(draw(planned))) == planned.total


def test_most_texts_are_unlike_every_other(week: tuple[Plan, list[Row]]) -> None:
    complaints = [row.text for row in week[1] if row.issue not in ("chatter", "praise", "question", "off_topic")]
    assert len(set(complaints)) > 0.7 * len(complaints)


# ---- who writes of what


@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_customers_write_chinese_as_often_as_asked(share: float) -> None:
    rows = list(synthesize(Settings(days=3, per_day=600, chinese_share=share)))
    chinese = np.mean([row.region.startswith("CN-") for row in rows])
    assert chinese == pytest.approx(share, abs=0.05)


def test_a_customer_always_writes_the_same_language(week: tuple[Plan, list[Row]]) -> None:
    spoken = {(row.customer_id, row.region.startswith("CN-")) for row in week[1] if row.customer_id}
    assert max(Counter(customer for customer, _ in spoken).values()) == 1


def test_some_customers_write_again_and_some_have_no_name(week: tuple[Plan, list[Row]]) -> None:
    usual = [row for row in week[1] if not row.event]
    again = Counter((row.customer_id, row.issue) for row in usual if row.customer_id)
    assert sum(times - 1 for times in again.values()) > 0.05 * len(usual)
    assert 0.01 < np.mean([row.customer_id == "" for row in usual]) < 0.06


def test_complaints_befall_only_products_that_can_have_them(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    skus = {row.sku for row in rows if row.issue == "zip_broken"} - {""}
    assert skus
    assert skus <= {"DJ21", "DR09", "HD14", "BP30", "SC24", "RJ18"}
    shop_issues = {issue.key for issue in planned.issues if not issue.about_product}
    assert {row.sku for row in rows if row.issue in shop_issues} == {""}


def test_batches_replace_each_other(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    end = planned.settings.end
    early = {
        row.batch for row in within(rows, None, planned.settings.start, planned.settings.start + timedelta(days=1))
    }
    late = {row.batch for row in within(rows, None, end - timedelta(days=1), end)}
    assert len((late - early) - {""}) >= 15
    assert all(row.batch.startswith(f"{row.sku}-") for row in rows if row.sku)


# ---- seasons and campaigns


def test_the_volume_follows_the_hours_of_the_day(week: tuple[Plan, list[Row]]) -> None:
    hours = Counter(at(row).astimezone(CHINA).hour for row in week[1])
    observed = np.array([hours[hour] for hour in range(24)], dtype=float)
    assert np.corrcoef(observed, HOUR_OF_DAY)[0, 1] > 0.95


def test_mondays_are_busier_than_saturdays() -> None:
    planned = plan(Settings(days=56, events=()))
    daily = planned.counts.sum(0).reshape(-1, 24).sum(1)
    campaign_days = {(campaign.start - planned.settings.start).days for campaign in planned.campaigns}
    of_weekday = [
        [n for day, n in enumerate(daily) if day % 7 == weekday and day not in campaign_days] for weekday in (0, 5)
    ]
    assert np.mean(of_weekday[0]) > 1.1 * np.mean(of_weekday[1])


def test_a_promotion_trebles_the_volume(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    (campaign,) = planned.campaigns
    assert campaign.end - campaign.start == timedelta(days=1)
    days = Counter(at(row).astimezone(CHINA).date() for row in rows)
    promoted = days.pop(campaign.start.date())
    assert 2.4 < promoted / np.median(list(days.values())) < 3.8


def test_an_issue_varies_more_than_chance_alone() -> None:
    planned = plan(Settings(days=60, events=()))
    daily = planned.counts.reshape(len(planned.counts), 60, 24).sum(2)
    campaign_days = [(campaign.start - planned.settings.start).days for campaign in planned.campaigns]
    ordinary = np.delete(daily, campaign_days, axis=1)
    assert 1.3 < np.median(ordinary.var(axis=1) / ordinary.mean(axis=1)) < 3


def test_long_streams_have_a_promotion_each_fortnight() -> None:
    starts = [campaign.start for campaign in plan(Settings(days=60, events=())).campaigns]
    assert len(starts) >= 4
    assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(days=14)}


# ---- what is hidden


@pytest.mark.parametrize("seed", [1, 7, 19])
def test_a_bad_batch_trebles_its_topic_within_hours_of_the_last_day(seed: int) -> None:
    planned = plan(Settings(seed=seed, days=6, per_day=900))
    rows = list(draw(planned))
    event = event_of(planned, "bad-batch")
    topic = event.topic
    now = len(within(rows, topic, event.onset, event.end))
    before = [
        len(within(rows, topic, event.onset - timedelta(days=back), event.end - timedelta(days=back)))
        for back in range(1, planned.settings.days)
    ]
    assert now >= 3 * np.mean(before)
    assert event.onset >= planned.settings.end - timedelta(days=1)
    assert event.end - event.onset <= timedelta(hours=8)


def test_the_bad_batch_is_named_in_its_complaints_by_as_many_customers(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    event = event_of(planned, "bad-batch")
    hidden = rows_of(rows, event)
    assert len(hidden) == event.excess
    assert len({row.customer_id for row in hidden} - {""}) == event.excess
    assert np.mean([row.batch == event.batch for row in hidden]) > 0.6
    known = {row.customer_id for row in rows if not row.event}
    assert known.isdisjoint(row.customer_id for row in hidden)


def test_the_bad_batch_was_on_sale_before_its_customers_complain(week: tuple[Plan, list[Row]]) -> None:
    event = event_of(week[0], "bad-batch")
    launched = datetime.strptime((event.batch or "").split("-")[1], "%y%m%d").replace(tzinfo=CHINA)
    assert event.onset - launched >= timedelta(days=3)


def test_a_larger_factor_makes_a_larger_surge() -> None:
    excess = [event_of(plan(Settings(factor=factor)), "bad-batch").excess for factor in (3.2, 8)]
    assert excess[1] > 2 * excess[0]


def test_a_new_issue_is_unheard_of_before(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    event = event_of(planned, "new-issue")
    assert within(rows, event.topic, planned.settings.start, event.onset) == []
    assert len(within(rows, event.topic, event.onset, event.end)) == event.excess


def test_a_slow_burn_grows(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    event = event_of(planned, "slow-burn")
    half = event.onset + (event.end - event.onset) / 2
    times = [at(row) for row in rows_of(rows, event)]
    assert sum(time >= half for time in times) > 1.5 * sum(time < half for time in times)


def test_a_spike_is_over_in_three_hours(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    event = event_of(planned, "spike")
    times = [at(row) for row in rows_of(rows, event)]
    assert len(times) == event.excess
    assert max(times) - min(times) <= timedelta(hours=3)


def test_every_event_has_as_many_messages_as_the_truth_says(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    sent = Counter(row.event for row in rows)
    assert {event.id: event.excess for event in planned.planted if event.excess} == {
        name: count for name, count in sent.items() if name
    }


def test_a_silent_channel_says_nothing_and_speaks_before_and_after(week: tuple[Plan, list[Row]]) -> None:
    planned, rows = week
    event = event_of(planned, "silent-channel")
    day = timedelta(days=1)
    spoken = [
        sum(row.channel == event.channel for row in within(rows, None, event.onset + shift, event.end + shift))
        for shift in (-day, timedelta(0), day)
    ]
    assert spoken[1] == 0
    assert min(spoken[0], spoken[2]) > 50


def test_one_customer_bursts_alone(week: tuple[Plan, list[Row]]) -> None:
    hidden = rows_of(week[1], event_of(week[0], "single-customer"))
    assert len(hidden) >= 20
    assert len({row.customer_id for row in hidden}) == 1


def test_copies_are_alike_and_of_few_customers(week: tuple[Plan, list[Row]]) -> None:
    hidden = rows_of(week[1], event_of(week[0], "copy-paste"))
    assert len(hidden) >= 30
    assert len({row.text for row in hidden}) <= 2
    assert len({row.customer_id for row in hidden}) == 4


def test_events_begin_on_ordinary_days_and_have_topics_of_their_own(week: tuple[Plan, list[Row]]) -> None:
    planned, _ = week
    (campaign,) = planned.campaigns
    assert not any(campaign.start <= event.onset < campaign.end for event in planned.planted)
    topics = [event.topic for event in planned.planted if event.topic]
    assert len(set(topics)) == len(topics)


# ---- words


def test_a_slip_spoils_no_slot() -> None:
    rng = np.random.default_rng(5)
    slipped = [slip("my {product} is at {email} again", "en", rng) for _ in range(50)]
    assert all("{product}" in text and "{email}" in text for text in slipped)
    assert len(set(slipped)) > 5


def test_numbers_are_ones_that_nobody_has() -> None:
    rng = np.random.default_rng(5)
    texts = [fill("{phone} {email}", language, (), rng) for language in ("zh", "en") for _ in range(40)]
    assert all("0000" in text.replace(" ", "") or "07700 900" in text or "555-01" in text for text in texts)
    assert all(text.endswith("@example.com") for text in texts)


def test_an_unknown_slot_is_an_error() -> None:
    with pytest.raises(KeyError, match="colours"):
        fill("in {colours}", "en", (), np.random.default_rng(1))


# ---- files and the command


@pytest.fixture(scope="module")
def few() -> list[Row]:
    return list(islice(synthesize(SMALL), 120))


def public(rows: list[Row]) -> list[dict[str, str]]:
    return [{column: getattr(row, column) for column in COLUMNS} for row in rows]


def test_csv_jsonl_and_parquet_hold_the_same_rows(tmp_path: Path, few: list[Row]) -> None:
    for suffix in ("csv", "jsonl", "parquet"):
        write_rows(few, tmp_path / f"stream.{suffix}")
    with (tmp_path / "stream.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == public(few)
    lines = (tmp_path / "stream.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == public(few)
    assert pq.read_table(tmp_path / "stream.parquet").to_pylist() == public(few)


def test_an_unknown_suffix_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SuffixError, match=r"stream\.xls: the suffix must be one of \.csv, \.jsonl, \.parquet"):
        write_rows(iter([]), tmp_path / "stream.xls")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"days": 2}, "days must be 3 to 400, not 2"),
        ({"per_day": 10}, "per day must be 50"),
        ({"start": datetime(2026, 3, 2)}, "start has no zone"),
        ({"start": datetime(2026, 3, 2, 7, tzinfo=UTC)}, "start must be a midnight"),
        ({"chinese_share": 1.2}, "the Chinese share must be 0 to 1"),
        ({"events": ("flood",)}, "no event is called flood: choose among bad-batch, spike"),
        ({"factor": 1.0}, "the factor of the bad batch"),
    ],
)
def test_settings_that_make_no_stream_are_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Settings(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"topic": "gravity"}, "no issue is called gravity"),
        ({"sku": "XX99"}, "no product is called XX99"),
        ({"topic": "zip_broken"}, "zip_broken does not befall PB20"),
        ({"topic": "app_crashes"}, "app_crashes does not befall PB20"),
        ({"days": 3, "events": ("slow-burn",)}, "slow-burn does not fit into 3 days"),
    ],
)
def test_a_plan_that_cannot_be_is_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        plan(Settings(**changes))  # type: ignore[arg-type]


def run(*arguments: str) -> None:
    build().main(list(arguments), standalone_mode=False)


def test_the_command_writes_stream_truth_and_calendar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, truth, calendar = tmp_path / "week.csv", tmp_path / "truth.json", tmp_path / "calendar.csv"
    files = ("--truth", str(truth), "--calendar", str(calendar))
    run("synthesize", str(out), "--days", "5", "--per-day", "150", "--start", "2026-06-01", *files)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = json.loads(truth.read_text(encoding="utf-8"))
    (event,) = told["events"]
    assert {"topic", "batch", "sku", "onset", "end", "excess"} <= event.keys()
    assert event["topic_names"]["zh"] == "充不进电"
    assert set(told["messages"]) == {row["message_id"] for row in rows}
    assert sum(mark[1] == event["id"] for mark in told["messages"].values()) == event["excess"]
    assert rows[0]["occurred_at"].startswith("2026-05-31T16:")
    with calendar.open(newline="", encoding="utf-8") as file:
        (campaign,) = csv.DictReader(file)
    assert campaign == {
        "start": "2026-06-03T00:00:00+08:00",
        "end": "2026-06-04T00:00:00+08:00",
        "name": "promotion 1",
    }
    told_to_people = capsys.readouterr()
    assert f"{len(rows)} messages" in told_to_people.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--start", "yesterday"), "start must be a date"),
        (("--events", "bad-batch,flood"), "no event is called flood"),
        (("--days", "1"), "days must be 3"),
    ],
)
def test_a_bad_argument_is_told_and_nothing_is_written(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(typer.BadParameter, match=words):
        run("synthesize", str(tmp_path / "week.csv"), *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_argument_ends_the_process_with_status_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training", "synthesize", str(tmp_path / "week.xls")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the suffix must be one of" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_no_command() -> None:
    code = (
        "import sys, contextlib, io\n"
        "from training.__main__ import build\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out: build().main(['--help'], standalone_mode=False)\n"
        "assert 'synthesize' in out.getvalue()\n"
        "heavy = {'numpy', 'torch', 'pyarrow', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert not [m for m in sys.modules if m.startswith('training.commands')]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(name, "--help")
    assert name in capsys.readouterr().out
