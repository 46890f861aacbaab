"""E-mail addresses, chat accounts after a cue, and number plates."""

import re
from collections.abc import Iterator

from models.redact.rule import Span, any_of, find, value

# --- e-mail -----------------------------------------------------------------------------------------------

_LOCAL = r"[A-Za-z0-9._%+\-]"
_LABEL = r"[A-Za-z0-9\-]"
_DOMAINS = any_of("com cn net org edu gov io info biz us uk de fr jp hk tw mo sg au ca ru br kr cc tv ch eu")
"""Those that are no English words: "from the @shop. It is" is no address."""
_MAILBOXES = any_of(
    "gmail googlemail qq vip.qq 163 126 139 189 188 yeah sina sohu 21cn tom foxmail aliyun outlook hotmail live "
    "msn yahoo icloud aol proton protonmail gmx"
)
EMAIL_HINTS = (
    r"@ ?[a-z0-9\-]+ ?(?:[.。]|dot )",
    rf"at(?: ?[)\]]| {_MAILBOXES}| [a-z0-9\-]+ ?(?:dot|[(\[]|点))|艾特|圈a|# ?[a-z0-9\-]+ ?(?:[.。]|dot|[(\[]|点)",
)
_EMAIL = re.compile(
    rf"(?<!{_LOCAL})(?P<value>{_LOCAL}++@{_LABEL}++(?:[.。]{_LABEL}++)*[.。][A-Za-z]{{2,24}})(?![A-Za-z0-9])"
)
# With spaces about the signs only under a known domain: "@shop. Please" is a mention.
_EMAIL_SPACED = re.compile(
    rf"(?<!{_LOCAL})(?P<value>{_LOCAL}++ ?@ ?{_LABEL}++(?: ?[.。] ?{_LABEL}++){{0,3}}"
    rf"(?: ?[.。] ?| dot ){_DOMAINS})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_EMAIL_SPELLED = re.compile(
    rf"(?<!{_LOCAL})(?P<value>{_LOCAL}{{2,64}}+(?: ?[(\[] ?at ?[)\]] ?| at | ?(?:#|艾特|圈a) ?)"
    rf"(?:{_LABEL}{{1,63}}(?: dot | ?[(\[] ?dot ?[)\]] ?|点)|{_MAILBOXES}(?: ?\. ?|点)){_DOMAINS})(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def emails(line: str) -> Iterator[Span]:
    """Addresses as RFC 5321 writes them, also with spaces about the signs; " at " only with "dot" or a known
    mailbox provider, since people also buy things at shops."""
    return find(line, (_EMAIL, value), (_EMAIL_SPACED, value), (_EMAIL_SPELLED, value))


# --- accounts ---------------------------------------------------------------------------------------------

ACCOUNT_HINTS = (
    "微信|薇信|加薇|薇❤|绿泡泡|威信|徽信|微x|v信|扣扣|企鹅|加我|加v|支付宝"
    "|vx|wx|weixin|wechat|qq|telegram|skype|line id|instagram",
)
_CHAT = (
    rf"(?:{any_of('微信 薇信 威信 徽信 微x v信 扣扣 企鹅 加我 加v 加薇 薇❤ 薇❤信 绿泡泡 支付宝')}"
    rf"|(?<![a-z]){any_of('vx wx weixin wechat qq telegram skype line_id instagram')}(?![a-z]))"
)
_KIND = any_of("号码 号 群 账号 账户 名 id 帐号")
# Five to twelve digits after any cue.
_ACCOUNT_DIGITS = re.compile(
    rf"{_CHAT} ?{_KIND}?(?: ?(?:number|no\.?|id))?(?:[是为:： ]|is ){{0,3}}(?P<value>[1-9]\d{{4,11}})(?!\d)",
    re.IGNORECASE,
)
# A word of letters only where the text says that it is the id.
_ACCOUNT_LABELLED = re.compile(
    rf"{_CHAT} ?{_KIND}?(?: ?(?:name|account|number|no\.?|id))?(?:是|为| is |[:：])[ :：]{{0,2}}"
    r"(?P<value>@?[a-z][a-z0-9_\-.]{4,31})(?![a-z0-9_\-])",
    re.IGNORECASE,
)
# Otherwise with a digit or an underscore in it. Six to twenty characters, a letter first.
_ACCOUNT_MIXED = re.compile(
    rf"{_CHAT} ?{_KIND}? ?(?P<value>@?(?=[a-z\-]{{0,20}}[0-9_])[a-z][a-z0-9_\-]{{5,19}})(?![a-z0-9_\-])", re.IGNORECASE
)
_ACCOUNT_LETTERS = re.compile(
    rf"{any_of('加我微信 加微信 我微信 我的微信 微信号 加我vx 加vx 加v 加我wx 加wx 加我')}号? ?"
    r"(?P<value>[a-z]{6,20})(?![a-z0-9_\-])",
    re.IGNORECASE,
)
_NO_ACCOUNT = frozenset(("payment", "wallet", "wechat", "weixin", "official", "account", "service", "support"))


def accounts(line: str) -> Iterator[Span]:
    """WeChat, QQ and other chat ids after a cue (微信, VX, 加我, QQ号, "wechat id")."""
    return find(
        line,
        (_ACCOUNT_DIGITS, value),
        (_ACCOUNT_LABELLED, _account),
        (_ACCOUNT_MIXED, _account),
        (_ACCOUNT_LETTERS, _account),
    )


def _account(match: re.Match[str]) -> Span | None:
    return None if match["value"].lower() in _NO_ACCOUNT else match.span("value")


# --- number plates ----------------------------------------------------------------------------------------

_PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
PLATE_HINTS = (rf"{_PROVINCE} ?[a-z]", "车牌")
_PLATE = re.compile(
    rf"(?P<value>{_PROVINCE} ?[A-HJ-Z][ ·.•\-]{{0,2}}[A-HJ-NP-Z0-9]{{4,5}}[A-HJ-NP-Z0-9挂学警港澳])(?![A-Za-z0-9])"
)
_PLATE_CUED = re.compile(
    rf"车牌(?:号码|号)?[是为:： ]{{0,3}}(?P<value>{_PROVINCE}? ?[A-Z][ ·.•\-]{{0,2}}[A-Z0-9]{{4,6}})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_LEAST_DIGITS = 3
"""At most two of the five characters after the office's letter are letters (GA 36)."""


def plates(line: str) -> Iterator[Span]:
    """Mainland plates (GA 36), new-energy ones of one character more among them; in small letters only after a
    cue, for "新Mate60" is a telephone."""
    return find(line, (_PLATE, _plate), (_PLATE_CUED, value))


def _plate(match: re.Match[str]) -> Span | None:
    return match.span("value") if sum(map(str.isdigit, match["value"])) >= _LEAST_DIGITS else None
