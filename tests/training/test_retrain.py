"""A retraining goes on where it was killed, touches nothing live, and says what would get worse."""

import csv
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from models.bundle import FORMAT, MESSAGES, TOPICS, Data, Encoder, Manifest, NotWritten, load, topics_bytes, write
from models.embed import Centring, Vectors, language_of
from models.sentence import load_embedder
from models.tables import Broken
from models.takeover import named
from models.topic import TopicId
from models.topics import TopicModel
from service.clock import sleep_until
from training import kept
from training.intents import read_own
from training.kept import Columns, Kept
from training.memory import MemoryShort, is_exhausted
from training.order import Order
from training.regroup import Ground, regroup
from training.retrain import STEPS, Retraining

NOW = datetime(2026, 3, 10, tzinfo=UTC)
QUIET = Console(stderr=True, quiet=True)
COLUMNS = Columns("said", "issue", None, "who")


def issues(first: int, count: int) -> dict[str, tuple[str, ...]]:
    return dict(list(read_own().intents.items())[first : first + count])


@pytest.fixture(scope="module")
def cache(encoder_folder: Path) -> Path:
    return encoder_folder.parent.parent


@pytest.fixture(scope="module")
def live(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a service knows that heard of 26 issues."""
    embedder = load_embedder(encoder_folder)
    old = [
        Kept(kept.redact(text).text, f"c{row}", NOW.timestamp() + row, issue, True)
        for row, (issue, text) in enumerate((i, t) for i, texts in issues(0, 26).items() for t in texts)
    ]
    raw, languages = embedder.embed([one.gist for one in old]), [language_of(one.text) for one in old]
    centring = Centring.fit(raw, languages)
    ground = Ground(
        old,
        centring.apply(raw, languages),
        centring,
        [None] * len(old),
        embedder.name,
        embedder.embed,
        np.zeros(len(old), np.int8),
    )
    found = regroup(ground, None, NOW).model
    model = named(found, {topic.id: f"t{number + 1}" for number, topic in enumerate(found.topics)})
    lines = "".join(
        f'{{"text": "{one.text}", "customer": "{one.customer}", "occurred_at": "{NOW.isoformat()}"}}\n'
        for one in old
        if '"' not in one.text
    )
    manifest = Manifest(
        format=FORMAT, kind="live", name="", made=NOW,
        encoder=Encoder(name=embedder.name, dimension=embedder.dimension, base=embedder.name),
        data=Data(fingerprint="", messages=len(old), labelled=0, rejected=0),
        recipe={}, scores={}, objections=(), files={},
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("live") / "live"
    write(folder, manifest, {TOPICS: topics_bytes(model), MESSAGES: lines.encode()})
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four new issues, half of their messages named; a row without a text."""
    path = tmp_path / "new.csv"
    chance = random.Random(3)
    with path.open("w", encoding="utf-8", newline="") as target:
        table = csv.writer(target)
        table.writerow(["said", "issue", "who"])
        for issue, texts in issues(30, 4).items():
            table.writerows([text, issue if chance.random() < 0.5 else "", f"n{text}"] for text in texts)
        table.writerow(["", "x", "nobody"])
    return path


def order(file: Path | None, live: Path | None, out: Path, cache: Path) -> Order:
    return Order(file, COLUMNS, live, out, cache, None, 10_000)


def model_of(folder: Path) -> TopicModel:
    return load(folder).topics


def test_a_new_category_gets_topics_by_its_labels_and_the_old_ones_keep_their_ids_and_messages(
    file: Path, live: Path, tmp_path: Path, cache: Path
) -> None:
    outcome = Retraining(order(file, live, tmp_path / "out", cache), QUIET, NOW).run()
    before, after = model_of(live), model_of(tmp_path / "out")
    assert [topic.id for topic in after.topics[: len(before.topics)]] == [topic.id for topic in before.topics]
    named = {name.replace("_", " ") for name in issues(30, 4)}
    called = {word for topic in after.topics if topic.id.startswith("new-") for word in topic.names.values()}
    assert len(named & called) >= 3
    assert outcome.scores.agreement is not None and outcome.scores.agreement >= 0.9
    assert [one.reason for one in outcome.broken] == ["said is empty"]
    assert outcome.manifest.data.rejected == 1


def test_a_file_alone_gives_a_bundle_without_labels_too(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "raw.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        table = csv.writer(target)
        table.writerow(["said", "issue", "who"])
        table.writerows([text, "", text] for texts in issues(0, 12).values() for text in texts)
    outcome = Retraining(order(path, None, tmp_path / "out", cache), QUIET, NOW).run()
    assert len(model_of(tmp_path / "out").topics) >= 5
    assert (outcome.scores.before, outcome.scores.agreement) == (None, None)


def test_from_the_kept_messages_alone_every_topic_stays_itself(live: Path, tmp_path: Path, cache: Path) -> None:
    outcome = Retraining(order(None, live, tmp_path / "out", cache), QUIET, NOW).run()
    kept_now = {topic.id for topic in model_of(tmp_path / "out").assignable}
    assert {topic.id for topic in model_of(live).assignable} <= kept_now
    assert outcome.scores.agreement == 1.0
    assert outcome.manifest.objections == ()


def test_nothing_personal_of_the_file_is_on_disk(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "raw.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        table = csv.writer(target)
        table.writerow(["said", "issue", "who"])
        table.writerows(
            [f"{text}，电话138-0013-8000", "", f"member-4711-{row}"]
            for row, text in enumerate(t for texts in issues(0, 6).values() for t in texts)
        )
    Retraining(order(path, None, tmp_path / "out", cache), QUIET, NOW).run()
    written = b"".join(one.read_bytes() for one in tmp_path.rglob("*") if one.is_file() and one != path)
    assert b"0013-8000" not in written and b"4711" not in written


def test_killed_after_every_step_the_same_command_goes_on_and_ends_as_without(
    file: Path, live: Path, tmp_path: Path, cache: Path
) -> None:
    before = {path: path.read_bytes() for path in live.iterdir()}
    command = [
        sys.executable, "-m", "training", "retrain", str(file), "--text", "said", "--label", "issue", "--customer", "who",
        "--live", str(live), "--out", str(tmp_path / "out"), "--cache", str(cache), "--no-tune",
    ]  # fmt: skip
    for step in ("messages", "vectors before", "topics"):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        done = tmp_path / ".work-out" / step
        assert sleep_until(lambda done=done: done.exists(), seconds=120, every=0.005)  # type: ignore[misc]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "out").exists()
    finished = _finished(tmp_path)
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(finished) >= 3 and all(f"{name}: done before" in again.stderr for name in finished)
    assert not (tmp_path / ".work-out").exists()
    assert {path: path.read_bytes() for path in live.iterdir()} == before
    whole = Retraining(order(file, live, tmp_path / "whole", cache), QUIET, NOW).run()
    one, other = load(tmp_path / "out"), load(tmp_path / "whole")
    assert [topic.id for topic in one.topics.topics] == [topic.id for topic in other.topics.topics]
    assert one.manifest.scores == whole.manifest.scores
    for ending, said in (("", "No objections."), (".zh-CN", "没有异议。")):
        assert (tmp_path / f"out{ending}.html").read_text(encoding="utf-8").startswith("<!doctype html>")
        assert said in (tmp_path / f"out{ending}.md").read_text(encoding="utf-8")


def _finished(folder: Path) -> list[str]:
    return [name for name in STEPS if (folder / ".work-out" / name).exists()]


@contextmanager
def limited(kind: int, most: int) -> Iterator[None]:
    """This process held to a limit of the system."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


def test_a_full_disk_is_told_and_with_space_again_the_run_goes_on(
    file: Path, tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    loud = Console(stderr=True)
    with limited(resource.RLIMIT_FSIZE, 20_000), pytest.raises(NotWritten, match=r"the disk is full.*run it again"):
        Retraining(order(file, None, tmp_path / "out", cache), loud, NOW).run()
    assert not (tmp_path / "out").exists()
    assert _finished(tmp_path) == ["messages"] and not list(tmp_path.rglob(".partial*"))
    Retraining(order(file, None, tmp_path / "out", cache), loud, NOW).run()
    assert "messages: done before" in capfd.readouterr().err
    assert load(tmp_path / "out").topics.topics


def test_too_little_memory_is_told_before_the_work_begins(file: Path, tmp_path: Path, cache: Path) -> None:
    taken = next(
        int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmSize" in line
    )
    with (
        limited(resource.RLIMIT_AS, taken * 1024 + 100_000_000),
        pytest.raises(MemoryShort, match=r"take 0\.\d GB of memory, and 0\.\d are left.*--most"),
    ):
        Retraining(order(file, None, tmp_path / "out", cache), QUIET, NOW).run()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "told",
    [
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes. Error code 12",
        "[ONNXRuntimeError] : 1 : FAIL : Failed to allocate memory for requested buffer of size 7372800",
        "std::bad_alloc",
        "CUDA out of memory. Tried to allocate 2.00 GiB",
    ],
)
def test_what_libraries_say_of_used_up_memory_is_understood(told: str) -> None:
    assert is_exhausted(RuntimeError(told))
    assert not is_exhausted(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_another_file_begins_anew(file: Path, live: Path, tmp_path: Path, cache: Path) -> None:
    Retraining(order(file, live, tmp_path / "out", cache), QUIET, NOW).run()
    assert _finished(tmp_path)
    with file.open("a", encoding="utf-8") as target:
        target.write("送来的猫粮有股霉味,,n1\n")
    shutil.rmtree(tmp_path / "out")
    Retraining(order(file, live, tmp_path / "out", cache), QUIET, NOW)
    assert _finished(tmp_path) == []


def test_what_is_there_already_is_refused_before_the_work_begins(file: Path, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(NotWritten, match="out is there already"):
        Retraining(order(file, None, tmp_path / "out", cache), QUIET, NOW)
    assert not (tmp_path / ".work-out").exists()


def test_where_no_row_can_be_used_the_first_reason_is_told(tmp_path: Path, cache: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("said,issue,who\n,late,n1\n,late,n2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="2 rows were rejected, row 1: said is empty"):
        Retraining(order(empty, None, tmp_path / "out", cache), QUIET, NOW).run()


def test_why_a_row_is_rejected_is_told_in_both_languages_and_not_what_it_holds(tmp_path: Path) -> None:
    table, lines = tmp_path / "rows.csv", tmp_path / "rows.jsonl"
    table.write_text("正文,时间\n,\n坏了,1234-secret\n坏了,99999999999999999\n坏了,,多,余\n", encoding="utf-8")
    lines.write_text('{"正文": 坏了}\n["坏了"]\n', encoding="utf-8")
    broken: list[Broken] = []
    for path, columns in ((table, Columns("正文", time="时间")), (lines, Columns("正文"))):
        assert list(kept.read_file(path, columns, broken, b"0" * 16)) == []
    assert [(one.row, one.said("zh").split("；")[0]) for one in broken] == [
        (1, "“正文”列是空的"),
        (2, "“时间”列的时间无法识别"),
        (3, "“时间”列的时间无法识别"),
        (4, "单元格比表头多"),
        (1, "第 8 个字符处不是 JSON"),
        (2, "不是 JSON 对象"),
    ]
    assert [one.said("en") for one in broken] == [one.reason for one in broken]
    assert "secret" not in str(broken) and "坏了" not in str(broken)
    assert Broken(1, "is odd").said("zh") == "is odd"


def test_topics_stay_retired_and_words_of_people_stay(live: Path) -> None:
    model = model_of(live)
    first = model.topics[0].id
    retired = model.retire(first)
    embedder_rows = Ground(
        [], _no_rows(), model.centring, [], model.embedder, lambda texts: _no_rows(), np.zeros(0, np.int8)
    )
    after = regroup(embedder_rows, retired, NOW).model
    assert after.topic(TopicId(first)).state == retired.topic(first).state
    assert [topic.id for topic in after.topics] == [topic.id for topic in model.topics]


def _no_rows() -> Vectors:
    return np.empty((0, 384), np.float32)
