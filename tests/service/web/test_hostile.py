"""Whatever a customer writes is shown as text, everywhere, and does nothing."""

import csv
import io
import json

import pytest

from models.message import RedactedText
from models.topic import Exemplar, Topic
from tests.service.web.acts import alert, topics
from tests.service.web.person import PHONE, Person
from tests.service.web.stage import Stage

SCRIPT = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
TEMPLATE = "{{constructor.constructor('document.title=1')()}} ${document.title} javascript:alert(1)"
TURNED = "refund \u202e\u2066yenom ym evig\u2069 \u0000\u0007\u001b[31m end\u200b"
EMOJI = "👩‍👩‍👧‍👦🔥" * 5_000
STACKED = "Z" + "\u0335\u0336\u0337\u0338" * 500
MARKDOWN = "[click](javascript:alert(1)) **@all** <at id=all></at> | a | b |\n# head"
FORMULA = '=HYPERLINK("http://evil.example","x")'
ALL = (SCRIPT, TEMPLATE, TURNED, EMOJI, STACKED, MARKDOWN, FORMULA)


@pytest.fixture
def hostile(stage: Stage) -> str:
    """An alert whose every customer-given part is hostile; answers its id."""
    one = alert(0, texts=ALL, label=SCRIPT, attributes={SCRIPT: SCRIPT, "sku": FORMULA, "who": TURNED})
    stage.put(one)
    first: Topic = topics()[0]
    exemplars = tuple(Exemplar(f"e{n}", RedactedText(text)) for n, text in enumerate(ALL))
    object.__setattr__(first, "exemplars", exemplars)
    object.__setattr__(first, "labels", {"en": SCRIPT})
    stage.topics = [first]
    return one.id


def shown(text: str) -> str:
    """Hostile text as it should be read: unseen characters named."""
    unseen = {"\u202e", "\u2066", "\u2069", "\0", "\a", "\x1b", "\u200b"}
    return "".join(f"‹U+{ord(one):04X}›" if one in unseen else one for one in text)


def test_every_view_shows_it_as_text(person: Person, stage: Stage, hostile: str) -> None:
    for place, wanted in (
        ("/", ".feed li h3"),
        (f"/#/alerts/{hostile}", ".samples li"),
        ("/#/topics", ".topics summary b"),
    ):
        person.goes(place)
        assert SCRIPT in person.sees(wanted, "<img").text
        assert person.all("main img, main script, main at, main iframe") == []
        assert person.browser.title in ("Tocsin", f"{SCRIPT} · Tocsin", "Topics · Tocsin")
    person.clicks(".topics summary.topic")
    person.sees(".examples bdi")
    assert person.texts(".examples bdi")[0] == SCRIPT


def test_samples_are_whole_but_for_named_characters(person: Person, hostile: str) -> None:
    person.goes(f"/#/alerts/{hostile}").sees(".samples li")
    quotes = person.texts(".samples blockquote")
    for text in (SCRIPT, TEMPLATE, TURNED, MARKDOWN, FORMULA):
        assert shown(text) in quotes
    assert {one.value_of_css_property("unicode-bidi") for one in person.all(".samples bdi")} == {"isolate"}


def test_ten_thousand_emoji_are_folded_and_can_be_unfolded(person: Person, hostile: str) -> None:
    person.goes(f"/#/alerts/{hostile}").sees(".samples li")
    folded = person.texts(".samples blockquote")[3]
    assert folded.endswith("…") and len(folded) < 10_000
    person.clicks(".samples button", "Show all")
    assert person.texts(".samples blockquote")[3] == EMOJI
    person.clicks(".samples button", "Show less")


def test_stacked_marks_stay_in_their_own_line(person: Person, hostile: str) -> None:
    person.goes(f"/#/alerts/{hostile}").sees(".samples li")
    assert {one.value_of_css_property("overflow-y") for one in person.all(".samples blockquote")} == {"hidden"}


def test_a_phone_still_needs_no_scrolling_sideways(person: Person, hostile: str) -> None:
    person.holds(PHONE)
    for place in ("/", f"/#/alerts/{hostile}", "/#/topics"):
        person.goes(place).sees("main bdi")
        wide = person.runs("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert wide[0] <= wide[1], place


def test_the_csv_holds_no_formula_and_every_sample(person: Person, hostile: str) -> None:
    person.goes(f"/#/alerts/{hostile}").clicks("button", "CSV")
    body = person.saved(".csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(body, newline="")))
    assert len(rows) == len(ALL)
    assert [row["text"] for row in rows][-1] == "'" + FORMULA
    assert {row["sku"] for row in rows} == {"'" + FORMULA}
    starts = {cell[:1] for row in rows for cell in row.values()}
    assert starts.isdisjoint("=+-@\t\r\n＝＋－＠")


def test_the_markdown_escapes_every_sign_of_its_own(person: Person, hostile: str) -> None:
    person.goes(f"/#/alerts/{hostile}").clicks("button", "Markdown")
    body = person.saved(".md").decode()
    assert "<img" not in body and "<at" not in body and "](javascript" not in body
    assert "\\*\\*\\@all\\*\\*" in body
    assert not [line for line in body.splitlines() if line.startswith("# head")]


def test_the_json_is_what_the_service_gave(person: Person, stage: Stage, hostile: str) -> None:
    person.goes(f"/#/alerts/{hostile}").clicks("button", "JSON")
    assert json.loads(person.saved(".json")) == stage.view(hostile)
