"""The page's own parts: its words, its cells, its reading of a stream."""

import re
from importlib.resources import files

from tests.service.web.person import Person

_SOURCES = [one for one in files("service.web").joinpath("static").iterdir() if one.name.endswith(".js")]


def test_both_languages_have_the_same_words_and_places_to_fill(person: Person) -> None:
    person.goes()
    words = person.module("words.js", "return it.WORDS")
    plain = {name for name in words["en"] if not name.endswith("_one")}
    assert plain == set(words["zh"])
    for name in plain:
        places = [set(re.findall(r"{(\w+)}", words[language][name])) for language in ("en", "zh")]
        assert places[0] == places[1], name


def test_every_word_that_the_page_asks_for_is_there(person: Person) -> None:
    person.goes()
    words = person.module("words.js", "return Object.keys(it.WORDS.en)")
    asked = {name for one in _SOURCES for name in re.findall(r'\bt\("([\w.]+)"', one.read_text())}
    assert asked - set(words) == set()


def test_no_part_makes_markup_out_of_text() -> None:
    for one in _SOURCES:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", one.read_text()), one


def test_no_cell_begins_as_a_formula(person: Person) -> None:
    person.goes()
    values = ("=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", " =1", "＝1", "'=1", '"=1', "|calc", "%0A=1")
    cells = person.module("evidence.js", "return given.map(it.cell)", *values)
    assert [cell[:2] for cell in cells] == ["\"'"] * len(values)
    assert person.module("evidence.js", "return it.cell(given[0])", 'a "b" 1+1') == '"a ""b"" 1+1"'


def test_a_stream_is_read_the_same_however_it_is_cut(person: Person) -> None:
    person.goes()
    text = ': hello\r\n\r\nevent: fired\nid: 7-0\ndata: {"a":\ndata: "火"}\n\n: ping\n\ndata: x\r\rid: 8-0\nevent: resync\n\n'
    script = """
      const bytes = new TextEncoder().encode(given[0]);
      const frames = new it.Frames();
      const found = [];
      for (let i = 0; i < bytes.length; i += given[1]) found.push(...frames.feed(bytes.slice(i, i + given[1])));
      return found;
    """
    wanted = [
        {"event": "fired", "id": "7-0", "data": '{"a":\n"火"}'},
        {"event": "message", "id": "7-0", "data": "x"},
        {"event": "resync", "id": "8-0", "data": ""},
    ]
    for size in (1, 2, 3, 5, 1000):
        assert person.module("stream.js", script, text, size) == wanted


def test_text_is_cut_between_characters_as_people_see_them(person: Person) -> None:
    person.goes()
    assert person.module("text.js", "return it.clip('👩‍👩‍👧‍👦🔥火', 1)") == "👩‍👩‍👧‍👦…"
    assert person.module("text.js", "return it.clip('火火', 2)") == "火火"


def test_spans_are_told_in_at_most_two_units(person: Person) -> None:
    person.goes()
    spans = person.module("format.js", "return given.map(it.span)", 0.5, 5, 60, 95, 180, 60 * 47, 60 * 49, 60 * 72)
    assert spans == ["30 s", "5 min", "1 h", "1 h 35 min", "3 h", "47 h", "2 d 1 h", "3 d"]
