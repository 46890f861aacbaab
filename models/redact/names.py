"""People's names: after a cue, with a title, or beside a telephone number."""

import re
from collections.abc import Iterator

from models.redact.fold import CALLED, MARKS
from models.redact.given import GIVEN_NAMES
from models.redact.rule import Span, any_of, find, value, words
from models.redact.surnames import COMPOUND_SURNAMES, NO_GIVEN, NO_NAME_ENDINGS, NO_NAMES, SURNAMES

CHINESE_HINTS = (
    "我叫|我是|我姓|本人|免贵|姓名|名字|户名|乘客|患者|先生|女士|小姐|太太|夫人"
    "|件人|货人|系人|收人|持卡人|开户人|投诉人|申请人|购买人|下单人",
)
ENGLISH_HINTS = (
    "name|recipient|consignee|attn|contact person|i am called",
    r"(?:i'm|i am|this is|contact|deliver to|ship to|regards|sincerely|thanks|cheers|attention)[,:]?\s(?-i:[A-Z])",
    r"(?:^|[^a-z0-9_])(?:m(?:r|s|rs|x|iss)|dr|prof)[. ]",
)
BESIDE_HINTS = (f"[{MARKS}]",)

_HAN = r"[\u4e00-\u9fff]"
_SURNAME = rf"(?:{any_of(COMPOUND_SURNAMES)}|[{SURNAMES}])"
_FULL = rf"{_SURNAME}{_HAN}{{1,2}}(?:[·•](?:(?![的是在]){_HAN}){{1,8}})?"
_TITLE = any_of("先生 女士 小姐 太太 夫人")
_PERSON = any_of(
    "姓名 我的名字 收件人 收货人 联系人 签收人 寄件人 发件人 持卡人 开户人 户名 投诉人 申请人 购买人 下单人 乘客 患者"
)
_SAYS = r"(?:[:：] ?|(?:应该|已经)?(?:是|叫|为|改成|改为|换成) ?)"

_LABELLED = re.compile(rf"{_PERSON}(?:姓名|名字)?{_SAYS}(?P<value>{_FULL})")
_LABELLED_ANY = re.compile(rf"{_PERSON}(?:姓名|名字)?[:：] ?(?P<value>{_HAN}{{2,4}})(?![{MARKS}\u4e00-\u9fff])")
_CUED = re.compile(rf"{any_of('我叫 本人叫 姓名 收件人 收货人 联系人 我名字叫 名字叫做')} ?(?P<value>{_FULL})")
_I_AM = re.compile(rf"(?:我是|本人) ?(?P<value>{_FULL})(?=[,，。.!！;；、 (（{MARKS}]|$)")
_SURNAME_ONLY = re.compile(rf"(?:我姓|免贵姓|本人姓) ?(?P<value>{_SURNAME})(?!{_HAN})")
_I_AM_TITLED = re.compile(rf"(?:我是|本人|我姓|联系|找|叫|收) ?(?P<value>{_SURNAME}){_TITLE}")
_TITLED = re.compile(rf"(?P<value>{_SURNAME}{_HAN}{{1,2}}?)老?{_TITLE}(?!太)")
# As in a delivery address pasted whole: name, telephone, address.
_BEFORE_PHONE = re.compile(rf"(?<![\w{MARKS}])(?P<value>{_FULL})(?=[ ,，、:：]{{0,2}}{CALLED})")
_AFTER_PHONE = re.compile(rf"(?<={CALLED})[ ,，、]{{0,2}}(?P<value>{_FULL})(?!\w)")
# 打[phone]找陈思雨: who is to be asked for there. Without a number or a name beside it, what follows 找 is too seldom one.
_ASK_FOR = "(?:找|联系|问|叫|打给)"
_ASKED_FOR = re.compile(rf"(?<=[{MARKS}])[ ,，、]{{0,2}}(?:请|就|直接|麻烦)?{_ASK_FOR} ?(?P<value>{_FULL})")
_ASKED_BEFORE = re.compile(rf"{_ASK_FOR} ?(?P<value>{_FULL})(?=[ ,，、:：]{{0,2}}(?:电话|手机)?号?[:：]? ?{CALLED})")
_ROLES = words("总 工 哥 姐 叔 姨 经理 主管 老板 店长 师傅 老师 主任 医生 助理 组长 阿姨 大哥 大姐 教练 律师")

_NOT_ALWAYS_SURNAMES = "谢向管"

_WORD = r"[A-Za-z][A-Za-z'’\-]{0,24}"
_CAPITAL = r"[A-Z][A-Za-z'’\-]{1,24}"
_ENGLISH_CUED = re.compile(
    rf"\b(?:my (?:full |first |last )?name(?: is|'s|:)|i am called|the name's) (?P<value>{_WORD}(?: {_WORD}){{0,2}})",
    re.IGNORECASE,
)
_ENGLISH_LABELLED = re.compile(
    rf"(?:(?<![A-Za-z] )(?<![A-Za-z])name|\b{any_of('full customer recipient contact holder')} name"
    rf"|\b{any_of('recipient consignee contact_person attn')}) ?[:：] ?(?P<value>{_WORD}(?: {_WORD}){{0,2}})",
    re.IGNORECASE,
)
# After words that more than names follow, only where the first is a given name: "This is American service".
_ENGLISH_GIVEN = re.compile(
    rf"\b(?i:i'm|i am|this is|contact|deliver to|ship to|regards|sincerely|thanks|cheers|attention)[,:]?\s"
    rf"(?P<value>{GIVEN_NAMES}\b(?: {_CAPITAL}){{0,2}})"
)
_ENGLISH_TITLED = re.compile(
    rf"\b{any_of('Mr Mrs Ms Miss Mx Dr Prof')}\b\.? (?P<value>{_CAPITAL}(?: {_CAPITAL}){{0,2}})"
)
_LATIN = re.compile(rf"(?:我叫|我的名字是|{_PERSON}[:：]) ?(?P<value>{_CAPITAL}(?: {_CAPITAL}){{0,2}})")
_NOT_A_NAME = words(
    """
    a an the and or but i im i'm my not no on in at of to from with wrong incorrect correct misspelled spelled
    misspelt still is was are were it this that your you we they he she for so please can could would will have
    has had been written printed missing different also as because if when where who what how there never only
    just now very really too
    """
)


def chinese_names(line: str) -> Iterator[Span]:
    """Names after a cue (我叫, 收件人) or before a title (张伟先生). A surname with a title and no cue (张女士) is
    kept: it tells nobody apart."""
    return find(
        line,
        (_LABELLED, _chinese),
        (_LABELLED_ANY, _chinese),
        (_CUED, _chinese),
        (_I_AM, _person),
        (_SURNAME_ONLY, value),
        (_I_AM_TITLED, value),
        (_TITLED, _titled),
        (_LATIN, _english),
    )


def english_names(line: str) -> Iterator[Span]:
    """Names after "my name is", a label or a title."""
    return find(
        line,
        (_ENGLISH_CUED, _english),
        (_ENGLISH_LABELLED, _english),
        (_ENGLISH_TITLED, _english),
        (_ENGLISH_GIVEN, _english),
    )


def names_beside(line: str) -> Iterator[Span]:
    """Names beside a telephone number, as in a delivery address pasted whole, or of who is to be asked for there."""
    return find(
        line, (_BEFORE_PHONE, _person), (_AFTER_PHONE, _person), (_ASKED_FOR, _asked_for), (_ASKED_BEFORE, _asked_for)
    )


def _chinese(match: re.Match[str]) -> Span | None:
    """The name, without a last character that ends none; nothing where the text only starts like a name."""
    name = match["value"]
    start, end = match.span("value")
    if name.startswith(NO_NAMES) or name[1] in NO_GIVEN:
        return None
    return (start, end - 1) if len(name) == 3 and name[2] in NO_GIVEN else (start, end)


def _person(match: re.Match[str]) -> Span | None:
    last = match["value"][-1]
    return None if last in NO_NAME_ENDINGS or last in NO_GIVEN else _chinese(match)


def _asked_for(match: re.Match[str]) -> Span | None:
    """A name, but no surname with what somebody is (周经理): it tells nobody apart."""
    name = match["value"]
    return None if name[1:] in _ROLES or name[-1] in NO_NAME_ENDINGS else _chinese(match)


def _titled(match: re.Match[str]) -> Span | None:
    name = match["value"]
    if NO_GIVEN.intersection(name):
        return None
    if name[0] in _NOT_ALWAYS_SURNAMES and name[1] in SURNAMES:  # 感谢梁先生, 冲向唐女士
        return match.start("value") + 1, match.end("value")
    return _chinese(match)


def _english(match: re.Match[str]) -> Span | None:
    """The words up to the first that no name holds."""
    start = end = match.start("value")
    for word in re.finditer(r"\S+", match["value"]):
        if word[0].lower() in _NOT_A_NAME:
            break
        end = start + word.end()
    return (start, end) if end > start else None
