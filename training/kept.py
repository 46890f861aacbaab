"""A redacted message to retrain from, out of a file or out of what the service kept."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from models.bundle import read_messages
from models.chatter import is_chatter
from models.fingerprint import customer_key, normalise, unnamed_key
from models.gist import gist
from models.message import RedactedText
from models.redact import redact
from models.tables import Broken, Row, read_rows
from models.times import EXAMPLE, parse_time

_HELD_OUT = 5
"""One message in so many is held out to be scored by: a thousand messages leave 200, a share known to ±.07."""


@dataclass(frozen=True, slots=True)
class Kept:
    """``at`` is seconds since 1970; None where the file tells no time. ``old`` came from the service."""

    text: RedactedText
    customer: str
    at: float | None
    label: str | None
    old: bool

    @property
    def gist(self) -> str:
        return gist(self.text)

    @property
    def held_out(self) -> bool:
        """Whether it is scored by and not learnt from; copies of a wording are on the same side."""
        digest = blake2b(normalise(self.text).encode("utf-8", "replace"), digest_size=4).digest()
        return int.from_bytes(digest) % _HELD_OUT == 0


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a file holds what."""

    text: str
    label: str | None = None
    time: str | None = None
    customer: str | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(name for name in (self.text, self.label, self.time, self.customer) if name)


def read_file(path: Path, columns: Columns, broken: list[Broken], key: bytes) -> Iterator[Kept]:
    """The messages of a CSV, JSONL or Parquet file, redacted at once; what cannot be used goes into ``broken``.

    ``key`` hashes the customers. Chatter is left out, as the service leaves it out of topics. Raises `TableError`.
    """
    for number, row in read_rows(path, columns.needed):
        found = row if isinstance(row, Broken) else _kept(number, row, columns, key)
        if isinstance(found, Broken):
            broken.append(found)
        elif found is not None:
            yield found


def sample(messages: Iterable[Kept], most: int, seed: int) -> list[Kept]:
    """At most ``most`` of them in their order: all that have a label first, of the others each with the same chance.

    Holds no more than that in memory, however long the file (Vitter, "Random Sampling with a Reservoir", 1985).

    >>> said = [Kept(RedactedText(str(n)), "c", None, "pet food" if n == 7 else None, False) for n in range(100)]
    >>> found = [one.text for one in sample(said, 3, seed=1)]
    >>> len(found), "7" in found
    (3, True)
    """
    chance = random.Random(seed)  # noqa: S311 — draws messages, guards nothing
    named: list[tuple[int, Kept]] = []
    others: list[tuple[int, Kept]] = []
    unnamed = 0
    for number, one in enumerate(messages):
        if one.label is not None:
            named += [(number, one)] * (len(named) < most)
            continue
        unnamed += 1
        if len(others) < most:
            others.append((number, one))
        elif (place := chance.randrange(unnamed)) < most:
            others[place] = number, one
    if len(others) > most - len(named):
        others = chance.sample(others, most - len(named))
    return [one for _, one in sorted([*named, *others], key=lambda pair: pair[0])]


def read_live(folder: Path) -> Iterator[Kept]:
    """The messages that a live bundle holds. Raises `BundleError`."""
    for said in read_messages(folder):
        text = RedactedText(said["text"])
        if not is_chatter(text):
            yield Kept(text, said["customer"], parse_time(said["occurred_at"]).timestamp(), None, True)


def packed(messages: Iterable[Kept]) -> bytes:
    """One JSON a line, as `unpacked` reads."""
    return b"".join(json.dumps(asdict(one), ensure_ascii=False).encode() + b"\n" for one in messages)


def unpacked(body: bytes) -> list[Kept]:
    """What `packed` gave."""
    return [Kept(**json.loads(line)) for line in body.splitlines()]


def texts_by(names: Sequence[str | None], messages: Sequence[Kept]) -> dict[str, list[str]]:
    """Different gists by name, for those that have one."""
    found: dict[str, dict[str, None]] = {}
    for name, message in zip(names, messages, strict=True):
        if name is not None and message.gist:
            found.setdefault(name, {})[message.gist] = None
    return {name: list(texts) for name, texts in found.items()}


def _kept(number: int, row: Row, columns: Columns, key: bytes) -> Kept | Broken | None:
    """None for chatter."""
    raw = _cell(row, columns.text)
    if raw is None:
        return Broken(number, f"{columns.text} is empty", f"“{columns.text}”列是空的")
    text = redact(raw).text
    if is_chatter(text):
        return None
    told, who = _cell(row, columns.time), _cell(row, columns.customer)
    try:
        at = parse_time(told).timestamp() if told else None
    except (ValueError, OverflowError):
        why = f"{columns.time} is no time that we can read; write it as {EXAMPLE}"
        return Broken(number, why, f"“{columns.time}”列的时间无法识别；请写成 {EXAMPLE}")
    customer = customer_key(who, key=key) if who else unnamed_key(text)
    return Kept(text, customer, at, _cell(row, columns.label), False)


def _cell(row: Row, name: str | None) -> str | None:
    value = row.get(name) if name else None
    said = "" if value is None else str(value).strip()
    return said or None
