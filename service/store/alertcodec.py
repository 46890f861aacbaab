"""Alerts as JSON: for the store, the API, webhooks and the replay's output; one shape for all."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

from models.alert import Alert, Facts


def pack(value: Alert | Facts) -> bytes:
    """JSON of a record; `unpack_alert` and `unpack_facts` read it back."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def unpack_alert(body: bytes) -> Alert:
    found = _build(Alert, orjson.loads(body))
    assert isinstance(found, Alert)
    return found


def unpack_facts(body: bytes | None) -> Facts:
    found = _build(Facts, orjson.loads(body)) if body else Facts()
    assert isinstance(found, Facts)
    return found


def _build(kind: Any, value: Any) -> Any:
    """A value of the declared type from what JSON made of it; unknown fields of a later version are left out."""
    if value is None:
        return None
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _build(next(arg for arg in args if arg is not type(None)), value)
    if origin is tuple:
        return tuple(_build(args[0], one) for one in value)
    if origin is not None:  # mappings of plain values
        return value
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{f.name: _build(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value})  # type: ignore[operator]
    if kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return value
