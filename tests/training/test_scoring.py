"""What would get worse is seen, and refused."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from string import Formatter

import numpy as np
import pytest

from models.embed import LANGUAGES, Centring, Language, unit
from models.message import RedactedText
from models.tables import Broken
from models.topic import Topic, TopicId, TopicState
from models.topics import Assignment, TopicModel
from training.exam import Mark
from training.fates import Fate, What, fates
from training.grouping import Grouping
from training.kept import Kept
from training.matching import match
from training.report import Report, html, markdown
from training.scoring import Arm, Missed, Scores, Side, objections, scales, score
from training.tuning import Tuned
from training.words import WORDS

NOW = datetime(2026, 3, 10, tzinfo=UTC)
HOUR = 3_600.0
PLACES = unit(np.random.default_rng(1).normal(size=(4, 16)))


def model(*names: str, **changes: Topic) -> TopicModel:
    topics = tuple(Topic(TopicId(name), PLACES[row], 0.2, 10, NOW) for row, name in enumerate(names))
    return TopicModel("e", Centring.none(16), tuple(changes.get(topic.id, topic) for topic in topics))


def stream(weeks: int = 6, surge: bool = True) -> tuple[list[Kept], np.ndarray]:  # type: ignore[type-arg]
    """Three issues at a steady rate, the first with a surge of a day in the last week; and where each message lies."""
    rng = np.random.default_rng(4)
    messages, issues = [], []
    for hour in range(weeks * 7 * 24):
        for issue, rate in enumerate((1.5, 2.0, 2.0)):
            loud = surge and issue == 0 and hour in range((weeks * 7 - 3) * 24, (weeks * 7 - 2) * 24)
            for _ in range(rng.poisson(rate * (6 if loud else 1))):
                at = NOW.timestamp() + (hour + rng.random()) * HOUR
                text = RedactedText(f"issue {issue} said by {len(messages)}")
                messages.append(Kept(text, f"c{len(messages)}", at, f"l{issue}", True))
                issues.append(issue)
    return messages, PLACES[issues]


MESSAGES, VECTORS = stream()
SAME = model("a", "b", "c")
NOWHERE = Assignment(None, 0.0, None, 1.0)


def arm(one: TopicModel) -> Arm:
    return Arm(one, VECTORS, one.assign(VECTORS))


def test_the_same_model_has_no_objections() -> None:
    found = score(MESSAGES, arm(SAME), arm(SAME))
    assert (found.agreement, found.surges_found, found.more_alarms_a_week) == (1.0, 1.0, 0.0)
    assert found.before is not None and found.before.alarms
    assert objections(found) == ()


def test_a_model_that_loses_a_topic_is_refused_for_what_is_lost() -> None:
    blind = model("a", "b", "c", a=replace(SAME.topics[0], radius=-1.0))
    found = score(MESSAGES, arm(SAME), arm(blind))
    told = " ".join(objections(found))
    assert "of old messages stay under their topic" in told
    assert "of old messages lose their topic" in told
    assert f"of the {len(found.missed)} surges of before are found" in told
    page = markdown(Report("pets", found, fates(SAME, blind, arm(SAME).placed, arm(blind).placed)))
    day = datetime.fromtimestamp(found.missed[0].at, UTC)
    assert f"The surge of a on {day:%Y-%m-%d %H:%M} UTC" in page


def test_a_topic_that_is_merged_or_split_agrees_with_what_it_came_from() -> None:
    gone = replace(SAME.topics[1], state=TopicState.RETIRED, into=TopicId("a"))
    assert score(MESSAGES, arm(SAME), arm(model("a", "b", "c", b=gone))).agreement == 1.0
    child = model("a", "d", "c", d=replace(SAME.topics[1], id=TopicId("d"), origin=TopicId("b")))
    assert score(MESSAGES, arm(SAME), arm(child)).agreement == 1.0


def test_the_report_says_why_a_figure_is_not_told_and_a_stretch_not_kept() -> None:
    few = MESSAGES[:30]
    some = Arm(SAME, VECTORS[:30], SAME.assign(VECTORS[:30]))
    nothing = Tuned(0.0, Mark(1.0, 1.0), Mark(1.0, 1.0))
    page = markdown(Report("pets", score(few, some, some), [], exams={"stretch": nothing}))
    assert "fewer than 20 held-out messages" in page
    assert "less than 14 days" in page
    assert "Nothing of the stretch was kept" in page
    whole = markdown(Report("pets", score(MESSAGES, arm(SAME), arm(SAME)), []))
    assert "held-out messages of" not in whole and "not told" not in whole


def test_messages_of_too_little_time_or_number_are_not_scored() -> None:
    few = MESSAGES[:30]
    some = Arm(SAME, VECTORS[:30], SAME.assign(VECTORS[:30]))
    found = score(few, some, some)
    assert (found.agreement, found.surges_found) == (None, None)
    assert objections(found) == ()


def test_scales_tell_how_many_times_as_many_messages_a_topic_counts() -> None:
    before = [one.topic for one in SAME.assign(VECTORS)]
    half = [one if row % 2 else NOWHERE for row, one in enumerate(SAME.assign(VECTORS))]
    found = scales(MESSAGES, before, Arm(SAME, VECTORS, half))
    assert found.keys() == {"a", "b", "c"}
    assert found["a"] == pytest.approx(0.5, abs=0.05)


def test_a_topic_that_is_only_split_or_merged_counts_no_more_and_no_less() -> None:
    child = replace(SAME.topics[1], id=TopicId("d"), origin=TopicId("b"), radius=0.1)
    aside = replace(SAME.topics[1], centroid=unit((PLACES[1] + 0.3 * PLACES[3])[None])[0])
    split = model("a", "b", "c", "d", b=aside, d=child)
    before = [one.topic for one in SAME.assign(VECTORS)]
    after = arm(split)
    assert {"d"} < set(after.placed) - {None}
    assert scales(MESSAGES, before, after) == {}
    gone = replace(SAME.topics[1], state=TopicState.RETIRED, into=TopicId("a"))
    assert scales(MESSAGES, before, arm(model("a", "b", "c", b=gone))) == {}


def test_scores_survive_json() -> None:
    for after in (SAME, model("a", "b", "c", a=replace(SAME.topics[0], radius=-1.0))):
        found = score(MESSAGES, arm(SAME), arm(after))
        assert Scores.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_every_fate_is_told_with_its_counts() -> None:
    after = model(
        "a", "b", "c", "d",
        b=replace(SAME.topics[1], state=TopicState.RETIRED, into=TopicId("a")),
        c=replace(SAME.topics[2], state=TopicState.RETIRED),
        d=Topic(TopicId("d"), PLACES[3], 0.2, 5, NOW, origin=TopicId("a")),
    )  # fmt: skip
    was = [TopicId("a"), TopicId("b"), TopicId("c")]
    now = [TopicId("a"), TopicId("a"), None]
    told = {fate.topic: (fate.what, fate.before, fate.after) for fate in fates(SAME, after, was, now)}
    assert told == {
        "a": (What.KEPT, 1, 2),
        "b": (What.MERGED, 1, 0),
        "c": (What.RETIRED, 1, 0),
        "d": (What.SPLIT, 0, 0),
    }


def test_the_page_fetches_nothing_and_shows_no_markup_of_a_message() -> None:
    evil = Topic(TopicId("a"), PLACES[0], 0.2, 5, NOW, names={"en": "<script>alert(1)</script>"})
    told = fates(None, model("a", a=evil), [], [])
    page = html(Report("<b>", score(MESSAGES, None, arm(SAME)), told, [Broken(1, "<i> is empty")]))
    assert "<script" not in page and "<b>" not in page and "<i>" not in page and "<svg" in page
    assert "http://" not in page and "https://" not in page and "src=" not in page


def worst() -> Report:
    """Everything that a report can say, about topics whose names and examples hold no Latin letter."""
    before = Side(0.9, 0.9, Grouping(0.9, 0.9, 0.9), 5)
    after = Side(0.5, 0.5, Grouping(0.1, 0.1, 0.1), 9)
    one, other = TopicId("1"), TopicId("2")
    told = [
        Fate(one, what, "猫粮", 3, 4, linked, ("猫粮有股霉味",))
        for what in What
        for linked in ((None, other) if what in (What.SPLIT, What.MERGED) else (None,))
    ]
    exams = {name: Tuned(0.0, Mark(0.5, 1.0, 0.2), Mark(0.4, 0.9, 0.1)) for name in ("tuning", "stretch")}
    scores = Scores(before, after, 0.5, 0.5, 4.0, 200, (Missed(one, NOW.timestamp()),))
    return Report("猫粮", scores, told, [Broken(7, "is no JSON object", "不是 JSON 对象")], exams)


def least() -> Report:
    """A report that can tell nothing."""
    nothing = Side(None, None, None, None)
    return Report("猫粮", Scores(nothing, nothing, None, None, None, 0), [])


def fine() -> Report:
    """A report without objections."""
    before = worst().scores.before
    assert before is not None
    return Report("猫粮", Scores(before, before, 1.0, 1.0, 0.0, 200), worst().fates)


@pytest.mark.parametrize("report", [worst(), least(), fine()], ids=["worst", "least", "fine"])
@pytest.mark.parametrize("written", [markdown, html])
def test_no_english_is_left_in_the_chinese_report(report: Report, written: Callable[[Report, Language], str]) -> None:
    page = written(report, "zh")
    spoken = [*re.findall("aria-label='([^']*)'", page), re.sub(r"<style>.*?</style>|<[^>]*>", " ", page)]
    terms = {"kNN", "NMI", "UTC", "JSON"}
    assert set(re.findall("[A-Za-z]{2,}", " ".join(spoken))) <= terms
    assert not re.search("[\u3400-\u9fff]", written(replace(report, name="", fates=[]), "en"))


def test_each_word_of_the_report_is_there_in_both_languages_with_the_same_figures_and_is_said() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for key, text in WORDS["en"].items():
        figures = [sorted(name for _, name, _, _ in Formatter().parse(one) if name) for one in (text, WORDS["zh"][key])]
        assert figures[0] == figures[1], key
    for language in LANGUAGES:
        said = "".join(html(report, language) for report in (worst(), least(), fine()))
        for key, text in WORDS[language].items():
            assert all(part in said for part, *_ in Formatter().parse(text)), key


def test_the_page_says_which_language_it_is_in() -> None:
    assert "<html lang='en'>" in html(fine()) and "<html lang='zh-CN'>" in html(fine(), "zh")


def test_objections_are_the_same_in_both_languages_and_colour_the_page() -> None:
    scores = worst().scores
    assert len(objections(scores)) == len(objections(scores, "zh")) == 6
    assert "Not to be promoted: only 0.50 of old" in markdown(worst())
    assert "不宜上线：只有 0.50 的旧消息" in markdown(worst(), "zh")
    assert all("class='bad'" in html(worst(), language) for language in LANGUAGES)
    assert all("class='good'" in html(fine(), language) for language in LANGUAGES)


def test_each_former_topic_is_matched_with_one_group_at_most() -> None:
    rows = [np.arange(0, 60), np.arange(60, 100)]
    vectors = np.repeat(PLACES[:1], 100, axis=0)
    found = match(rows, {TopicId("a"): np.arange(0, 100)}, vectors, 0.25)
    assert [(one.group, one.topic) for one in found] == [(0, "a")]
