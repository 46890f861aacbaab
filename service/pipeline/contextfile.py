"""The file of context sources: TOML, a table each; a value ``${NAME}`` is taken from the environment.

```toml
[erp]
type = "sql"
kind = "order"
by = "customer"
url = "${ERP_URL}"
query = "SELECT id, placed_at AS at, tracking, sku FROM orders WHERE customer_id = :customer"
```
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.context import Join, PieceKind
from service.errors import Refused
from service.pipeline.context import Asked
from service.pipeline.sources import HttpSource, SqlSource

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SourceIn(BaseModel):
    """One source as it is written down. ``limit`` and ``fresh`` are seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    type: Literal["sql", "http"]
    kind: PieceKind
    by: Join = Join.customer
    url: Annotated[str, Field(min_length=1)]
    query: str | None = None
    key: str | None = None
    limit: Annotated[float, Field(gt=0, le=10)] = 0.25
    fresh: Annotated[float, Field(ge=0, le=3_600)] = 60.0


def read_sources(path: Path | None, environment: Mapping[str, str]) -> list[Asked]:
    """Every source of the file. Raises `Refused` with the place and what to mend, and shows no secret."""
    if path is None:
        return []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"TOCSIN_CONTEXT: {path.name} cannot be read: {error}") from None
    return [_source(name, fields, environment) for name, fields in tables.items()]


def _source(name: str, fields: object, environment: Mapping[str, str]) -> Asked:
    try:
        one = SourceIn.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Refused(f"TOCSIN_CONTEXT: {'.'.join(map(str, (name, *first['loc'])))}: {first['msg']}") from None
    url = _filled(name, one.url, environment)
    if one.type == "sql":
        if one.query is None or f":{one.by}" not in one.query:
            raise Refused(f"TOCSIN_CONTEXT: {name}.query: give one with :{one.by} in it")
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError

        try:
            source: SqlSource | HttpSource = SqlSource(name, one.kind, one.by, url, one.query)
        except (ArgumentError, NoSuchModuleError, ImportError):
            raise Refused(f"TOCSIN_CONTEXT: {name}.url: is no SQLAlchemy URL whose driver is installed") from None
    else:
        if "{" + one.by.value + "}" not in url:
            raise Refused(f"TOCSIN_CONTEXT: {name}.url: give one with {{{one.by}}} in it")
        source = HttpSource(name, one.kind, one.by, url, _filled(name, one.key, environment) if one.key else None)
    return Asked(name, one.by, source, timedelta(seconds=one.limit), timedelta(seconds=one.fresh))


def _filled(name: str, value: str, environment: Mapping[str, str]) -> str:
    for variable in _VARIABLE.findall(value):
        if variable not in environment:
            raise Refused(f"TOCSIN_CONTEXT: {name}: the environment has no {variable}")
    return _VARIABLE.sub(lambda found: environment[found[1]], value)
