"""Order and tracking numbers: kept, hashed or redacted by setting, and never taken for anything else."""

import re
from collections.abc import Iterator

from models.redact.rule import Span, candidates

_CODE = r"(?P<value>(?=[A-Za-z\-]{0,12}\d)[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){5,39})(?![A-Za-z0-9])"
_ORDER = re.compile(
    r"(?:订单|单号|(?<![A-Za-z])order)(?:编号|号码|号| ?(?:number|no\.?|id|num|#))?[是为:： #]{0,3}(?:is )?" + _CODE,
    re.IGNORECASE,
)
_TRACKING = re.compile(
    r"(?:快递|运单|物流|包裹|货运|(?<![A-Za-z])tracking|(?<![A-Za-z])waybill)(?:单)?(?:编号|号码|号| ?(?:number|no\.?|id|code|#))?[是为:： #]{0,3}(?:is )?"
    + _CODE,
    re.IGNORECASE,
)
# Forms that carriers print: SF Express, YTO, ZTO, STO, Yunda, JD, EMS (UPU S10).
_CARRIER = re.compile(
    r"(?<![A-Za-z0-9])(?P<value>SF\d{12,13}|YT\d{13,15}|(?:ZTO|STO|YD)\d{12,15}|JD[A-Z]{0,2}\d{11,15}|[A-Z]{2}\d{9}[A-Z]{2}|1Z[0-9A-Z]{16})"
    r"(?![A-Za-z0-9])"
)
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_IDENTITY = re.compile(r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")


def order_numbers(line: str) -> Iterator[Span]:
    """Codes of 6 to 40 letters and digits after 订单号 or "order number"."""
    return candidates(_ORDER, line, _claimed)


def tracking_numbers(line: str) -> Iterator[Span]:
    """Codes after 快递单号 or "tracking number", and those in a carrier's own form."""
    yield from candidates(_TRACKING, line, _claimed)


def carrier_numbers(line: str) -> Iterator[Span]:
    """Tracking numbers told by their form alone."""
    return candidates(_CARRIER, line, _claimed)


def _claimed(match: re.Match[str]) -> Span | None:
    """A mobile or an identity number given as an order number is still a mobile or an identity number."""
    value = match["value"].replace("-", "")
    return None if _MOBILE.fullmatch(value) or _IDENTITY.fullmatch(value) else match.span("value")
