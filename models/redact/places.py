"""Addresses: what follows a cue (收货地址, 寄到, "ship to"), and streets and buildings with their numbers.

A province, city or district alone names nobody and is kept, and so is a community without a house number
where no cue makes it somebody's home: complaints are about places too.
"""

import re
from collections.abc import Iterator

from models.redact.digits import disjoint
from models.redact.rule import Span, always, candidates

_HAN = r"\u4e00-\u9fff"
_NUMBER = r"(?:\d{1,5}[A-Za-z]?|[A-Za-z]\d{0,3}|[一二三四五六七八九十百零]{1,4})"
_UNIT = r"(?:号楼|号院|号|栋|幢|座|单元|楼|层|室|户|房|弄|#|-)"
_BLOCK = r"(?:小区|花园|家园|公寓|花苑|嘉园|雅苑|新苑|公馆|大厦|广场|新村|庄园|山庄|宿舍|社区|苑|府|城|村|寓|邸)"
_STREET = r"(?:大道|大街|胡同|路|街|巷|弄|道)"
# The parts after the first: "3栋2单元501室", "88号-2".
_TAIL = rf"(?: ?{_NUMBER} ?{_UNIT}){{0,6}}(?: ?\d{{3,4}}(?![\d年月日元块天]))?"

_STREET_NUMBER = re.compile(
    rf"(?P<lead>[{_HAN}]{{1,10}}?){_STREET} ?{_NUMBER} ?(?:号(?![线店机码])|弄|栋|幢|#)"
    rf"(?:[{_HAN}]{{0,8}}?{_BLOCK})?{_TAIL}"
)
_BLOCK_NUMBER = re.compile(
    rf"(?P<lead>[{_HAN}]{{1,10}}?){_BLOCK}[ ,，]?{_NUMBER} ?(?:期 ?{_NUMBER} ?)?(?:号楼|栋|幢|座|单元|#){_TAIL}"
)
_BUILDING = re.compile(
    rf"(?<![0-9A-Za-z])(?P<lead>){_NUMBER} ?(?:号楼|栋|幢|座) ?(?:{_NUMBER} ?(?:单元|楼|层|室|户|房|号)|\d{{3,4}}(?![\d年月日元块天])){_TAIL}"
    rf"|(?<![0-9A-Za-z]){_NUMBER} ?单元 ?(?:\d{{3,4}}|{_NUMBER} ?(?:室|户|楼|号)){_TAIL}"
)
# Words before a street that are not of its name.
_LEAD_STOP = re.compile(r".*(?:[在到于从去的了往给是和与跟至寄送住家是,，省市区县镇]|我们|位于|地址)")

_BODY_CHAR = rf"[{_HAN}0-9A-Za-z#\-()·. ]"
_FINE = rf"(?:{_BLOCK}|{_STREET}|号楼|号院|号|栋|幢|座|单元|楼|层|室|户|房|门|镇|乡|组|院|驿站|\d)"
_LABEL = r"(?:收货地址|收件地址|送货地址|寄件地址|退货地址|详细地址|家庭地址|家庭住址|通讯地址|通信地址|居住地址|现住址|住址|新地址|地址)"
_LABELLED = re.compile(
    rf"{_LABEL}(?:(?:应该|已经)?(?:改成|改为|改到|改在|变更为|换成|写成|写的|填的)|是|为|在|[:：]| ){{1,3}} ?"
    rf"(?P<value>(?!不|错|有|没)[{_HAN}0-9A-Za-z]{_BODY_CHAR}{{0,50}}{_FINE})"
)
_DELIVERED = re.compile(
    r"(?:邮寄到|寄到|寄往|寄至|寄给|送到|送至|送往|发到|发往|派送到|配送到|快递到|改送|改寄|住在|家住|居住在|我住|我家在|搬到|住)(?:了)?"
    rf"(?P<value>(?:[{_HAN}]{{2,18}}?(?:{_STREET} ?{_NUMBER}|{_BLOCK}|(?={_NUMBER} ?(?:号楼|栋|幢|座|单元)))"
    rf"|{_NUMBER} ?(?:号楼|栋|幢|座) ?{_NUMBER})"
    rf"(?: ?{_NUMBER} ?{_UNIT}|[{_HAN}]{{1,8}}?{_BLOCK}| ?\d{{3,4}}(?![\d年月日元块天])){{0,6}})"
)
_VAGUE = re.compile(
    r".{0,4}(?:我们|我家|你们|他们|这个|那个|哪个|别的|其他|其它|隔壁|整个|同一|另一|另外|错误|不同|某|本)"
)

_EN_STREET = r"(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|terrace|square|sq|highway|hwy|parkway|pkwy|crescent|close|way)"
_EN_UNIT = r"(?:,? ?(?:apt|apartment|suite|ste|unit|flat|floor|room|#)\.? ?#?[0-9A-Za-z\-]{1,6}\b)"
_EN_REGION = r"(?:,? (?:[A-Z][A-Za-z.]{1,20} ?){1,3}(?:,? [A-Z]{2})?(?:,? \d{5}(?:-\d{4})?\b|,? [A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b))"
_ENGLISH = re.compile(
    rf"(?<![\w.$£€-])\d{{1,5}}[A-Za-z]?(?:-\d{{1,4}})? (?:[NSEW]\.? )?(?:(?:[A-Z][A-Za-z'’]{{1,20}}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,4}}"
    rf"(?i:{_EN_STREET})\b\.?(?i:{_EN_UNIT})?{_EN_REGION}?(?i:{_EN_UNIT})?"
)
_ENGLISH_CUED = re.compile(
    r"(?:address(?: is| to|:| ?: )|ship(?:ped)?(?: it)? to|deliver(?:ed)?(?: it)? to|send(?: it)? to|live at|living at|moved to) ?(?:is )?:? ?"
    rf"(?P<value>(?:{_EN_UNIT},? )?\d{{1,5}}[A-Za-z]? (?:[A-Za-z0-9'’.]{{1,20}} ){{1,4}}?{_EN_STREET}\b\.?{_EN_UNIT}?(?-i:{_EN_REGION})?{_EN_UNIT}?)",
    re.IGNORECASE,
)
_PO_BOX = re.compile(r"\bP\.? ?O\.? ?Box \d{1,6}\b", re.IGNORECASE)


def addresses(line: str) -> Iterator[Span]:
    """Chinese and English street addresses, with their building, unit and room."""
    return disjoint(
        [
            *candidates(_LABELLED, line, always),
            *candidates(_DELIVERED, line, _home),
            *candidates(_STREET_NUMBER, line, _without_lead),
            *candidates(_BLOCK_NUMBER, line, _without_lead),
            *candidates(_BUILDING, line, always_whole),
            *candidates(_ENGLISH, line, always),
            *candidates(_ENGLISH_CUED, line, always),
            *candidates(_PO_BOX, line, always),
        ]
    )


def always_whole(match: re.Match[str]) -> Span:
    return match.span()


def _home(match: re.Match[str]) -> Span | None:
    return None if _VAGUE.match(match["value"]) else match.span("value")


def _without_lead(match: re.Match[str]) -> Span:
    stop = _LEAD_STOP.match(match["lead"])
    return match.start() + (stop.end() if stop else 0), match.end()
