"""Mappings: how the shapes of other programs become messages, written down as data.

A mapping is a TOML or YAML file. ``[message]`` names a path (``conversation.meta.sender.id``, ``items.0.text``) for
each field of a message, or several of which the first that is there counts; ``[attributes]`` does so for attributes.
``[when]`` says by path and value which events are messages at all; others are ignored. ``items`` is the path of the
list where one request carries many. ``[signature]`` says how a sender proves that it is the one.
"""

import base64
import binascii
import hmac
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from models.times import parse_time
from service.errors import NotFound, Refused, Unauthorised

Field = Literal["text", "id", "occurred_at", "customer_id", "channel", "order_id"]
FIELDS: tuple[Field, ...] = get_args(Field)
Json = Any
Paths = tuple[str, ...]

ABSENT = "absent"
"""In ``[when]``: the path leads nowhere, or to null."""
TOLERANCE = timedelta(minutes=5)
"""How old a signature may be: as Standard Webhooks and Stripe advise."""
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PARTS = ("name", "source", "items", "when", "message", "attributes", "signature")


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is no message of a customer, and why."""

    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class Proof:
    """How a sender signs: HMAC-SHA256 over ``signed`` filled in with its timestamp header and the body."""

    secret: bytes
    header: str
    signed: str
    encoding: Literal["hex", "base64"]
    prefix: str = ""
    timestamp_header: str | None = None

    def check(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Raises `Unauthorised` where the signature is missing, old, or another one's."""
        stamp = headers.get(self.timestamp_header.lower(), "") if self.timestamp_header else ""
        if self.timestamp_header and not _fresh(stamp, now):
            raise Unauthorised(f"the header {self.timestamp_header} is missing, or its time is not the present one")
        before, _, after = self.signed.partition("{body}")
        text = before.replace("{timestamp}", stamp).encode() + body + after.replace("{timestamp}", stamp).encode()
        given = headers.get(self.header.lower(), "").strip()
        if not given.startswith(self.prefix) or not hmac.compare_digest(
            _decoded(given[len(self.prefix) :], self.encoding), hmac.digest(self.secret, text, sha256)
        ):
            raise Unauthorised(f"the header {self.header} holds no signature of this body under our secret")


@dataclass(frozen=True, slots=True)
class MessageMapping:
    """A mapping, read and checked."""

    name: str
    source: str
    message: Mapping[Field, Paths]
    attributes: Mapping[str, Paths] = field(default_factory=dict)
    when: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    items: str | None = None
    proof: Proof | None = None

    def apply(self, body: Json) -> list[dict[str, Json] | Ignored]:
        """What a request becomes: for each event the fields of a message, or why it is none."""
        found = look_up(body, self.items) if self.items else body
        return [self._one(event) for event in (found if isinstance(found, list) else [found])]

    def _one(self, event: Json) -> dict[str, Json] | Ignored:
        for path, allowed in self.when.items():
            value = look_up(event, path)
            if not any(_same(value, one) for one in allowed):
                return Ignored(f"{path} is not what the mapping asks for")
        fields: dict[str, Json] = {name: _first(event, paths) for name, paths in self.message.items()}
        if not str(fields.get("text") or "").strip():
            return Ignored("there is no text")
        if isinstance(fields.get("occurred_at"), str):
            fields["occurred_at"] = re.sub(r" ?UTC$", "+00:00", fields["occurred_at"])
        attributes = {name: _first(event, paths) for name, paths in self.attributes.items()}
        shown = {name: value for name, value in attributes.items() if isinstance(value, str | int | float | bool)}
        known = {name: value for name, value in fields.items() if value is not None and value != ""}
        return known | {"source": self.source} | ({"attributes": shown} if shown else {})


def look_up(value: Json, path: str) -> Json:
    """What lies at a path; None where nothing does.

    >>> look_up({"a": [{"b": 1}]}, "a.0.b"), look_up({"a": 1}, "a.b")
    (1, None)
    """
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def read_mapping(written: Mapping[str, Json], environment: Mapping[str, str]) -> MessageMapping:
    """A mapping of what stands in a file. Raises `Refused` that says what to mend."""
    unknown = [name for name in written if name not in _PARTS]
    if unknown:
        raise Refused(f"{unknown[0]}: is no part of a mapping; it has {', '.join(_PARTS)}")
    message = _table(written, "message")
    if "text" not in message:
        raise Refused("message.text: give the path of the text")
    strange = [name for name in message if name not in FIELDS]
    if strange:
        raise Refused(f"message.{strange[0]}: is no field of a message; there are {', '.join(FIELDS)}")
    name = written.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        raise Refused("name: give one of small letters, digits, - and _; it stands in the address")
    return MessageMapping(
        name=name,
        source=str(written.get("source", name))[:64],
        message={part: _paths(paths, f"message.{part}") for part, paths in message.items()},  # type: ignore[misc]
        attributes={part: _paths(paths, f"attributes.{part}") for part, paths in _table(written, "attributes").items()},
        when={
            path: tuple(value) if isinstance(value, list) else (value,)
            for path, value in _table(written, "when").items()
        },
        items=written.get("items"),
        proof=_proof(_table(written, "signature"), environment),
    )


def load_mapping(path: Path, environment: Mapping[str, str]) -> MessageMapping:
    """The mapping of a file. Raises `Refused` that names the file and what to mend."""
    try:
        return read_mapping(_written(path.suffix, path.read_bytes()), environment)
    except FileNotFoundError:
        raise Refused(f"{path}: there is no such file") from None
    except (Refused, ValueError) as error:
        raise Refused(f"{path.name}: {error}") from None


def packaged(environment: Mapping[str, str]) -> dict[str, MessageMapping]:
    """The mappings that come with Tocsin, by name."""
    folder = files("service").joinpath("mappings")
    found = [
        read_mapping(_written(".toml", one.read_bytes()), environment)
        for one in folder.iterdir()
        if one.name.endswith(".toml")
    ]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def all_mappings(folder: Path | None, environment: Mapping[str, str]) -> dict[str, MessageMapping]:
    """The packaged ones, and those of a folder, which come first where names are the same."""
    if folder is not None and not folder.is_dir():
        raise Refused(f"{folder}: there is no such folder of mappings")
    own = [
        load_mapping(path, environment)
        for path in sorted(folder.iterdir() if folder else ())
        if path.suffix in (".toml", ".yaml", ".yml")
    ]
    return packaged(environment) | {one.name: one for one in own}


def choose(mappings: Mapping[str, MessageMapping], name: str) -> MessageMapping:
    """Raises `NotFound`."""
    if name not in mappings:
        raise NotFound(f"there is no mapping {name!r}; there are {', '.join(mappings)}")
    return mappings[name]


def _written(suffix: str, body: bytes) -> Mapping[str, Json]:
    if suffix == ".toml":
        return tomllib.loads(body.decode())
    if suffix in (".yaml", ".yml"):
        import yaml  # type: ignore[import-untyped,unused-ignore]

        try:
            found = yaml.safe_load(body)
        except yaml.YAMLError as error:
            raise ValueError(f"is no YAML: {getattr(error, 'problem', 'it cannot be read')}") from None
        if isinstance(found, dict):
            return found
        raise ValueError("is no mapping: it begins with name and [message]")
    raise ValueError("give a file that ends in .toml, .yaml or .yml")


def _table(written: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = written.get(name, {})
    if not isinstance(found, dict):
        raise Refused(f"{name}: is no table")
    return found


def _paths(value: Json, where: str) -> Paths:
    paths = tuple(value) if isinstance(value, list) else (value,)
    if not paths or not all(isinstance(one, str) and one for one in paths):
        raise Refused(f"{where}: give a path, or a list of paths")
    return paths


def _proof(written: Mapping[str, Json], environment: Mapping[str, str]) -> Proof | None:
    """How to check the sender; None where none is described, or its variable is not set."""
    if not written:
        return None
    unknown = [name for name in written if name not in (*_PROOF, "timestamp_header", "prefix")]
    missing = [name for name in _PROOF if name not in written]
    if unknown or missing:
        raise Refused(f"signature.{(unknown or missing)[0]}: {'is not known' if unknown else 'is missing'}")
    if written["encoding"] not in ("hex", "base64") or "{body}" not in written["signed"]:
        raise Refused("signature: encoding is hex or base64, and signed holds {body}")
    found = _VARIABLE.fullmatch(written["secret"])
    secret = environment.get(found[1], "") if found else written["secret"]
    if not secret:
        return None
    return Proof(
        secret.encode(), written["header"], written["signed"], written["encoding"],
        written.get("prefix", ""), written.get("timestamp_header"),
    )  # fmt: skip


_PROOF = ("secret", "header", "signed", "encoding")


def _first(event: Json, paths: Sequence[str]) -> Json:
    """The first value of several paths that is there and not empty."""
    found = (look_up(event, path) for path in paths)
    return next((value for value in found if value is not None and value != ""), None)


def _same(value: Json, wanted: Json) -> bool:
    if wanted == ABSENT and value is None:
        return True
    return type(value) is type(wanted) and bool(value == wanted)  # 0 is not false here


def _fresh(stamp: str, now: datetime) -> bool:
    try:
        return abs(parse_time(stamp) - now) <= TOLERANCE
    except (ValueError, OverflowError):
        return False


def _decoded(text: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
