"""How a message is read: the quick way takes nothing that the whole way does not, and nothing otherwise."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.api.messages import MessageIn, _read_any, _read_plain
from service.errors import BadMessage

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)  # JSON in UTF-8 has no lone surrogate
_WORDS = _TEXT | st.sampled_from(["", "x" * 64, "x" * 65, "汉" * 64, "x" * 200, "x" * 201, "😀" * 201])
_NUMBERS = st.booleans() | st.integers() | st.floats() | st.sampled_from([1_741_000_000, 1_741_000_000_123, 1e300, -1])
_TIMES = st.sampled_from(
    [
        "2025-03-03T08:28:32+08:00",
        "2025-03-03",
        "2025/3/3 8:05",
        " 1741000000 ",
        "2025年3月3日",
        "now",
        "20250303T08",
        "08:05",
    ]
)
_ANY = st.none() | _NUMBERS | _WORDS | _TIMES | st.lists(_TEXT, max_size=2)
_ATTRIBUTES = (
    st.dictionaries(_WORDS, _WORDS, max_size=4)
    | st.dictionaries(_TEXT, _ANY, max_size=4)
    | st.integers(30, 34).map(lambda n: {str(k): "v" for k in range(n)})
)
_FIELDS: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(MessageIn.model_fields, _ANY) | {
    "text": _ANY | _WORDS,
    "occurred_at": _ANY | _TIMES,
    "attributes": _ANY | _ATTRIBUTES,
}
_ITEMS = st.fixed_dictionaries({}, optional=_FIELDS | {"colour": _TEXT}) | _ANY


def _said(item: Any) -> Any:
    try:
        raw = _read_any(item, NOW)
    except BadMessage as error:
        return error
    return raw if isinstance(item.get("id"), str) else None  # without one, each reading makes its own


@given(_ITEMS)
@settings(deadline=None, max_examples=300)
@example(
    {"text": "坏了", "id": "m1", "customer_id": 7, "occurred_at": 1_741_000_000, "attributes": {"sku": 3, "b": None}}
)
@example({"text": "坏了", "id": "m1", "channel": "x" * 65})
def test_what_is_read_the_quick_way_is_read_the_same_the_whole_way(item: Any) -> None:
    quick, whole = _read_plain(item, NOW), _said(item)
    assert not (quick and isinstance(whole, BadMessage)), f"taken, though {whole}"
    assert quick is None or whole is None or quick == whole


def test_an_ordinary_message_is_read_the_quick_way() -> None:
    (ordinary,) = MessageIn.model_config["json_schema_extra"]["examples"]  # type: ignore[index,call-overload]
    assert _read_plain(ordinary, NOW) == _read_any(ordinary, NOW)
    assert _read_plain({"text": "坏了"}, NOW) is not None
