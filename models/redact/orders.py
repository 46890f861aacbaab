"""Order and tracking numbers: kept, hashed or redacted by setting, and never taken for anything else."""

import re
from collections.abc import Iterator

from models.redact.rule import Span, any_of, find

ORDER_HINTS = ("订单|单号|order",)
TRACKING_HINTS = ("快递|运单|物流|包裹|货运|tracking|waybill", r"[a-z]\d{9}", "1z")

# Six to forty letters, digits and single hyphens, with a digit among the first.
_CODE = r"(?P<value>(?=[A-Za-z\-]{0,12}\d)[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){5,39})(?![A-Za-z0-9])"
_IS = r"[是为:： #]{0,3}(?:is )?"
_ORDER = re.compile(
    rf"(?:订单|单号|(?<![A-Za-z])order)(?:编号|号码|号| ?{any_of('number no. no id num #')})?{_IS}{_CODE}",
    re.IGNORECASE,
)
_TRACKING = re.compile(
    rf"(?:{any_of('快递 运单 物流 包裹 货运')}|(?<![A-Za-z]){any_of('tracking waybill')})单?"
    rf"(?:编号|号码|号| ?{any_of('number no. no id code #')})?{_IS}{_CODE}",
    re.IGNORECASE,
)
# As carriers print them: SF Express, YTO, ZTO, STO, Yunda, JD, UPU S10 (EMS), UPS.
_CARRIER = re.compile(
    r"(?<![A-Za-z0-9])(?P<value>SF\d{12,13}|YT\d{13,15}|(?:ZTO|STO|YD)\d{12,15}|JD[A-Z]{0,2}\d{11,15}"
    r"|[A-Z]{2}\d{9}[A-Z]{2}|1Z[0-9A-Z]{16})(?![A-Za-z0-9])"
)
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_ID = re.compile(r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")


def order_numbers(line: str) -> Iterator[Span]:
    """Codes after 订单号 or "order number"."""
    return find(line, (_ORDER, _claimed))


def tracking_numbers(line: str) -> Iterator[Span]:
    """Codes after 快递单号 or "tracking number", and those in a carrier's own form."""
    return find(line, (_TRACKING, _claimed), (_CARRIER, _claimed))


def _claimed(match: re.Match[str]) -> Span | None:
    """A mobile or an identity number given as an order number is still a mobile or an identity number."""
    code = match["value"].replace("-", "")
    return None if _MOBILE.fullmatch(code) or _ID.fullmatch(code) else match.span("value")
