"""The indicators' file: a company's own service metrics, TOML or YAML, a few lines each; checked whole at start.

```toml
[refund_time]
kind = "quantile"
quantile = 0.9
unit = "h"
start = 48
labels = { en = "Refund time", zh = "退款时长" }
```
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated

import yaml  # type: ignore[import-untyped,unused-ignore]
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.embed import Language
from models.indicator import READY, BadIndicator, CostKind, Direction, Indicator, Kind, known
from service.errors import Refused

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")


class IndicatorIn(BaseModel):
    """One indicator as it is written down; of a ready-made one only what is to be otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind | None = None
    labels: dict[Language, Annotated[str, Field(min_length=1, max_length=80)]] | None = None
    direction: Direction | None = None
    unit: Annotated[str, Field(max_length=16)] | None = None
    limit: Annotated[float, Field(ge=0)] | None = None
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    start: Annotated[float, Field(ge=0)] | None = None
    ceiling: Annotated[float, Field(ge=0)] | None = None
    floor: Annotated[float, Field(ge=0)] | None = None
    least: Annotated[float, Field(ge=1)] | None = None
    cost: CostKind | None = None


def read_indicators(path: Path | None) -> dict[str, Indicator]:
    """Every indicator by name, ready-made ones among them. Raises `Refused` with the place and what to mend."""
    return known(_indicator(name, fields) for name, fields in (_read(path) if path else {}).items())


def _read(path: Path) -> dict[str, object]:
    try:
        written = path.read_text(encoding="utf-8")
        found = yaml.safe_load(written) if path.suffix in (".yaml", ".yml") else tomllib.loads(written)
    except (OSError, ValueError) as error:
        raise Refused(f"TOCSIN_INDICATORS: {path.name} cannot be read: {error}") from None
    except yaml.YAMLError:
        raise Refused(f"TOCSIN_INDICATORS: {path.name} is no YAML") from None
    if not isinstance(found, dict):
        raise Refused(f"TOCSIN_INDICATORS: {path.name} names no indicators")
    return found


def _indicator(name: str, fields: object) -> Indicator:
    if not NAME.match(name):
        raise Refused(
            f"TOCSIN_INDICATORS: {name!r}: a name is of small letters, digits and _, and begins with a letter"
        )
    try:
        given = IndicatorIn.model_validate(fields).model_dump(exclude_none=True)
        ready = READY.get(name)
        base = {one: getattr(ready, one) for one in IndicatorIn.model_fields} if ready else {"labels": {"en": name}}
        return Indicator(name=name, **(base | given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(one) for one in (name, *first["loc"]))
        raise Refused(f"TOCSIN_INDICATORS: {place}: {first['msg']}") from None
    except (BadIndicator, TypeError) as error:
        raise Refused(f"TOCSIN_INDICATORS: {name}: {error}") from None
