"""Chinese addresses: what follows a cue (收货地址, 寄到, 住在), and streets and buildings with their numbers.

A province, city or district alone names nobody and is kept, and so is a community without a house number where
nothing is delivered to it: complaints are about places too.
"""

import re
from collections.abc import Iterator

from models.redact.rule import Span, any_of, find, value

_NUMERAL = "一二三四五六七八九十百"
_PLACE = rf"[\d{_NUMERAL}A-Za-z]"
HINTS = (
    rf"{_PLACE} ?[号栋幢座弄#]|单元",
    "地址|住址|寄到|寄往|寄至|寄给|送到|送至|送往|发到|发往|改送|改寄|快递到|住在|家住|居住|我住|家在|搬到",
)

_HAN = r"[\u4e00-\u9fff]"
_NUMBER = rf"(?:\d{{1,5}}[A-Za-z]?|[A-Za-z]\d{{0,3}}|[{_NUMERAL}]{{1,4}})"
_ROOM = r"\d{3,4}(?![\d多余户吨年月日元块天个件米平mMkK%.])"
_STREET = any_of("大道 大街 胡同 路 街 巷 道")
_COMMUNITY = any_of("小区 公寓 公馆 大厦 新村 山庄 宿舍 社区 苑 府 城 园 邸")
_HOME = any_of("小区 花园 家园 公寓 花苑 嘉园 雅苑 大厦 新村 宿舍")
_BUILDING = any_of("号楼 号院 栋 幢 座 单元")
_UNIT = any_of("号楼 号院 栋 幢 座 单元 号 楼 层 室 户 房 弄 # -")
# "3栋2单元501室", "88号-2", "2座1806"
_REST = rf"(?:[ ,，]?{_NUMBER} ?{_UNIT}){{0,6}}(?: ?{_ROOM})?"

# A house's or a tower's name between the street number and the floor.
_WITHIN = rf"(?:{_HAN}{{1,8}}?(?:{_COMMUNITY}|(?:中心|大楼|写字楼|广场|商厦)(?= ?{_NUMBER} ?{_UNIT})))"

_STREET_NUMBER = re.compile(rf"(?<={_HAN}){_STREET} ?{_NUMBER} ?(?:号(?![线店机码车令])|弄|栋|幢|#){_WITHIN}?{_REST}")
_COMMUNITY_NUMBER = re.compile(
    rf"(?<={_HAN}){_COMMUNITY}[ ,，]?(?:{_NUMBER} ?[期区] ?)?{_NUMBER} ?(?:{_BUILDING}|(?<=\d)号(?![线店机码车令])|#){_REST}"
)
# Without a street or community, a building and what is in it: "3栋501", "2单元301室". A floor is not enough.
_WITHIN_BUILDING = re.compile(
    rf"(?<![0-9A-Za-z])(?P<value>(?:{_NUMBER} ?(?:号楼|栋|幢|座)[ ,，]?(?:{_NUMBER} ?(?:单元|室|房|号(?!楼))|{_ROOM})"
    rf"|{_NUMBER} ?单元 ?(?:{_ROOM}|{_NUMBER} ?(?:室|号))){_REST})"
)
_NAME_LENGTH = 6
"""Characters of a street's or community's name before its last word; longer ones are rare."""
_NOT_NAME = re.compile(
    r"(?:[在到于从去的了往给是和与跟至住请将对就为被把让寄送过该本这诉护年月日省市区县镇]|我们|位于|地址|改成|改到|换成|换到|周边|附近|对面|目前|情况|[^\u4e00-\u9fff])"
)
_LABEL = (
    any_of("收货 收件 送货 寄件 退货 详细 家庭 通讯 通信 居住 现住 新 快递 寄送 邮寄 联系") + r"?地址|(?:家庭|现)?住址"
)
_BODY = r"[\u4e00-\u9fff0-9A-Za-z#\-()·. ]"
_FINE = any_of(
    "路 街 巷 弄 胡同 大道 号 栋 幢 座 单元 楼 层 室 户 房 门 镇 乡 村 组 院 驿站 小区 花园 苑 公寓 大厦 园 城"
)
_LABELLED = re.compile(
    rf"(?:{_LABEL})(?P<says>(?:应该|已经)?(?:改成|改为|改到|变更为|换成|写的是)|是|为|在|[:：]| ){{1,3}} ?"
    rf"(?P<value>(?![不错有没])[\u4e00-\u9fff0-9A-Za-z](?:(?!20\d\d年){_BODY}){{0,50}}(?:{_FINE}|\d))"
)
_STRONG = re.compile(rf"\d ?{_UNIT}|路|街|巷|弄|胡同|大道|小区|花园|公寓|大厦|新村|[栋幢]|单元|[{_NUMERAL}]号")

_NAMED = r"(?:(?![的了是有在])[\u4e00-\u9fff0-9A-Za-z])"
_DELIVERED = re.compile(
    rf"{any_of('邮寄到 寄到 寄往 寄至 寄给 送到 送至 送往 发到 发往 派送到 配送到 改送 改寄 快递到')}了?"
    rf"(?P<value>{_NAMED}{{2,20}}?(?:{_STREET} ?{_NUMBER} ?号?|{_HOME})"
    rf"{_WITHIN}?{_REST})"
)
_LIVED = re.compile(
    rf"{any_of('住在 家住 居住在 居住于 我住 我家在 家在 搬到 搬到了')}"
    rf"(?P<value>{_NAMED}{{2,20}}?{_NUMBER} ?(?:{_BUILDING}|[号弄室楼#](?![线店机码上下道梯])){_REST})"
)
_VAGUE = re.compile(
    r".{0,4}(?:我们|我家|你们|他们|她们|这|那|哪|别的|别人|其他|其它|隔壁|整个|同一|另|错|不同|某|本|附近|旁边|楼下|顶层|主楼)"
    r"|.{0,12}(?:酒店|宾馆|旅馆|民宿|旅店|饭店)"
)


def addresses(line: str) -> Iterator[Span]:
    """Street addresses with their building, unit and room."""
    return find(
        line,
        (_LABELLED, _labelled),
        (_DELIVERED, _home),
        (_LIVED, _home),
        (_STREET_NUMBER, _with_name),
        (_COMMUNITY_NUMBER, _with_name),
        (_WITHIN_BUILDING, value),
    )


def _labelled(match: re.Match[str]) -> Span | None:
    explicit = match["says"] in {":", "："}
    return match.span("value") if explicit or _STRONG.search(match["value"]) else None


def _home(match: re.Match[str]) -> Span | None:
    return None if _VAGUE.match(match["value"]) else match.span("value")


def _with_name(match: re.Match[str]) -> Span:
    """The match and the name before it, back to what can't be part of one."""
    first = max(0, match.start() - _NAME_LENGTH)
    name = match.string[first : match.start()]
    others = [other.end() for other in _NOT_NAME.finditer(name)]
    return first + max(others, default=0), match.end()
