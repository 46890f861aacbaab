"""What is told by its words: e-mail addresses, chat accounts after a cue, number plates."""

import re
from collections.abc import Iterator

from models.redact.digits import disjoint
from models.redact.rule import Span, always, candidates

# --- e-mail -----------------------------------------------------------------------------------------------

_LOCAL = r"[A-Za-z0-9._%+\-]"
_EMAIL = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}++ ?@ ?[A-Za-z0-9\-]++(?: ?[.。] ?[A-Za-z0-9\-]++)*?[.。 ]{{1,3}}[A-Za-z]{{2,24}}(?![A-Za-z])"
)
_PROVIDERS = (
    "gmail|qq|163|126|139|189|yeah|sina|sohu|foxmail|aliyun|outlook|hotmail|live|msn|yahoo|icloud|proton|protonmail|gmx"
)
_SPELLED_AT = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}{{2,64}}+(?: ?[(\[] ?at ?[)\]] ?| at |#|艾特|圈a)"
    rf"(?:[A-Za-z0-9\-]{{1,63}}(?: dot | ?[(\[] ?dot ?[)\]] ?|点)|(?:{_PROVIDERS})(?: ?\. ?| dot |点))[A-Za-z]{{2,6}}(?![A-Za-z])",
    re.IGNORECASE,
)


def emails(line: str) -> Iterator[Span]:
    """Addresses as RFC 5321 writes them, with spaces about the signs; " at " only with "dot" or a known
    mailbox provider, since people also buy things at shops."""
    return disjoint([*candidates(_EMAIL, line, always), *candidates(_SPELLED_AT, line, always)])


# --- accounts ---------------------------------------------------------------------------------------------

_ACCOUNT_CUE = r"(?:加我|加你|加下我|我的|联系)?(?:微信|薇信|威信|徽信|微x|v信|(?<![a-z])(?:vx|wx|weixin|wechat|qq|telegram|skype|line|instagram|ig|whatsapp)(?![a-z])|扣扣|企鹅|加我|加v)"
_ACCOUNT_NUMERIC = re.compile(
    rf"{_ACCOUNT_CUE}(?:号码|号|群| ?(?:id|number|no\.?))?[是为:： ]{{0,3}}(?:is )?(?P<value>[1-9]\d{{4,11}})(?!\d)",
    re.IGNORECASE,
)
_ACCOUNT_LABELLED = re.compile(
    rf"{_ACCOUNT_CUE}(?:号码?|名|账号| ?(?:id|name|account|number|no\.?))?(?:是|为| is |[:：])[ :：]{{0,2}}"
    r"(?P<value>@?[a-z0-9][a-z0-9_\-.]{4,31})(?![a-z0-9_\-])",
    re.IGNORECASE,
)
_ACCOUNT_BARE = re.compile(
    rf"{_ACCOUNT_CUE}(?:号码?|账号| ?id)? ?(?P<value>@?(?=[a-z_\-]{{0,20}}[0-9_])[a-z][a-z0-9_\-]{{5,19}})(?![a-z0-9_\-])",
    re.IGNORECASE,
)
_ACCOUNT_LETTERS = re.compile(
    r"(?:加我微信|加微信|我微信|我的微信|微信号|加我vx|加vx|加v|加我wx|加我)号? ?(?P<value>[a-z]{6,20})(?![a-z0-9_\-])",
    re.IGNORECASE,
)
_NO_ACCOUNT = frozenset("payment wallet wechat weixin official account service support".split())


def accounts(line: str) -> Iterator[Span]:
    """WeChat (6 to 20 characters, a letter first), QQ (5 to 12 digits) and other chat ids after a cue."""
    return disjoint(
        [
            *candidates(_ACCOUNT_NUMERIC, line, always),
            *candidates(_ACCOUNT_LABELLED, line, _account),
            *candidates(_ACCOUNT_BARE, line, _account),
            *candidates(_ACCOUNT_LETTERS, line, _account),
        ]
    )


def _account(match: re.Match[str]) -> Span | None:
    return None if match["value"].lower() in _NO_ACCOUNT else match.span("value")


# --- number plates ----------------------------------------------------------------------------------------

_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"(?P<value>[{_PROVINCE}] ?[A-HJ-Z][ ·.•\-]{{0,2}}[A-HJ-NP-Z0-9]{{4,5}}[A-HJ-NP-Z0-9挂学警港澳])(?![A-Za-z0-9])"
)
_PLATE_CUED = re.compile(
    rf"车牌(?:号码|号)?[是为:： ]{{0,3}}(?P<value>[{_PROVINCE}]? ?[A-Z][ ·.•\-]{{0,2}}[A-Z0-9]{{4,6}})(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def plates(line: str) -> Iterator[Span]:
    """Mainland plates (GA 36), new-energy ones of one character more among them; in small letters only
    after a cue, for "新Mate60" is a telephone."""
    return disjoint([*candidates(_PLATE, line, _plate), *candidates(_PLATE_CUED, line, always)])


def _plate(match: re.Match[str]) -> Span | None:
    # At most two of the five (six) characters after the office letter are letters.
    return match.span() if sum(char.isdigit() for char in match["value"]) >= 3 else None
