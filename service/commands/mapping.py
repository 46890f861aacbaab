"""`tocsin mapping list | test`: how other programs' events become messages."""

import os
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.plain import one_line
from models.redact import redact
from service.clock import wall_clock
from service.errors import BadMessage, Refused
from service.pipeline.mapping import FIELDS, Ignored, MessageMapping, all_mappings, choose, load_mapping
from service.settings import load_settings


def show() -> int:
    """List the mappings there are."""
    table = Table("name", "source", "fields", "signature")
    for one in all_mappings(load_settings().mappings, os.environ).values():
        fields = " ".join([*one.message, *one.attributes])
        table.add_row(
            *(Text(cell) for cell in (one.name, one.source, fields, "checked" if one.proof else "not asked for"))
        )
    Console().print(table)
    return 0


def test(name: str, sample: Path) -> int:
    """Show what a mapping makes of a sample: each field, redacted, or why an event is no message."""
    mapping = _mapping(name)
    if not sample.is_file():
        raise Refused(f"{sample}: there is no such file")
    try:
        found = mapping.apply(orjson.loads(sample.read_bytes()))
    except orjson.JSONDecodeError as error:
        raise Refused(f"{sample.name}: is no JSON (line {error.lineno}, column {error.colno})") from None
    console, good = Console(), 0
    for number, one in enumerate(found, 1):
        if isinstance(one, Ignored):
            console.print(Text(f"event {number}: ignored, {one.reason}"))
            continue
        good += _shown(console, mapping, one, number)
    return 0 if good else 1


def _mapping(name: str) -> MessageMapping:
    path = Path(name)
    if path.suffix:
        return load_mapping(path, os.environ)
    return choose(all_mappings(load_settings().mappings, os.environ), name)


def _shown(console: Console, mapping: MessageMapping, fields: dict[str, object], number: int) -> bool:
    """Print the message of one event; False where it would be refused."""
    from service.api.messages import read

    table = Table("field", "path", "value", title=f"event {number}", title_justify="left")
    for field in FIELDS:
        paths = mapping.message.get(field, ())
        value = redact(str(fields[field])).text if field in fields else "(nothing there)" if paths else "(not mapped)"
        table.add_row(Text(field), Text(" or ".join(paths)), Text(one_line(value, 200)))
    attributes = fields.get("attributes", {})
    for name, paths in mapping.attributes.items():
        value = attributes.get(name, "(nothing there)") if isinstance(attributes, dict) else ""
        table.add_row(Text(f"attribute {name}"), Text(" or ".join(paths)), Text(one_line(str(value), 200)))
    console.print(table)
    try:
        read(fields, wall_clock())
        return True
    except BadMessage as error:
        console.print(Text(f"event {number}: would be refused, {error}"))
        return False
