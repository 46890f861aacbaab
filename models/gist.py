"""What a text is about, for the embedder: without what would group messages by anything but their issue.

Order numbers, addresses of pages, names of accounts, greetings and thanks say nothing of the issue, yet two
unrelated messages that share them come out close. Measured on a stream of bank messages: order numbers alone
made topics of their own.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import opencc

_PAGE = re.compile(r"https?://\S+|www\.\S+")
_ACCOUNT = re.compile(r"(?<![\w.])[@＠][\w\-]{2,40}")
_PLACEHOLDER = re.compile(r"\[[a-z]+(?:_[a-z]+)*(?:[:#][0-9a-z]+)?\]")
_NUMBER = re.compile(
    r"(?:[(（【\[]\s*)?(?:(?:订单|单|运单|快递|退货|物流|流水|工单)(?:编?号(?:码)?)?|order|ref(?:erence)?|tracking|ticket|case)?"
    r"\s*(?:number|no\.?|id)?\s*(?:是|为|is)?\s*[:：#]?\s*[A-Za-z]{0,4}\d{6,}[A-Za-z0-9-]*(?:\s*[)）】\]])?",
    re.IGNORECASE,
)
_HELLO = re.compile(
    r"^(?:(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening)|dear \w{2,12})(?: there| all| team)?\b"
    r"|亲亲?|您好|你好|在吗|在不在|请问|哈喽|客服)(?:[\s,.!?~，。！？、～]+|(?<=[亲好吗问]))",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"[\s,.!?，。！？~]*(?:(?:many )?thanks(?: (?:a lot|in advance))?|thank you(?: (?:so|very) much)?|thx|please help|cheers"
    r"|(?:非常)?(?:谢谢|感谢|多谢)(?:了|你|您)?|麻烦(?:尽快)?处理(?:一下)?|麻烦了)[\s,.!?，。！？~]*$",
    re.IGNORECASE,
)
_LAST_OF_THANKS = (
    "thanks", "thank you", "lot", "advance", "much", "thx", "help", "cheers",
    "谢谢", "感谢", "多谢", "了", "你", "您", "处理", "一下",
)  # fmt: skip
"""What `_THANKS` ends with, marks aside: most texts do not, which is told sooner than by looking for thanks in them."""
_MARKS = ",.!?，。！？~" + "".join(filter(str.isspace, map(chr, range(0x3001))))
_ASIDE: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (_PAGE, lambda text: "://" in text or "www." in text),
    (_ACCOUNT, lambda text: "@" in text or "＠" in text),
    (_PLACEHOLDER, lambda text: "[" in text),
    (_NUMBER, re.compile(r"\d{6}").search),
)
"""What is no issue, each with what tells quickly that a text has none of it."""
_SPACES = re.compile(r"\s{2,}")
_MOST = 2_000
"""Characters looked at: the embedder reads no more, and the patterns stay cheap on hostile text."""


def gist(text: str) -> str:
    """The part of a redacted text that tells its issue, in simplified characters; the text itself where nothing is left.

    >>> gist("Good morning, my card was declined (order 9233096340) thanks")
    'my card was declined'
    >>> gist("您好，充不進電，訂單號20260302118877，謝謝")
    '充不进电'
    >>> gist("1234567890")
    '1234567890'
    """
    plain = _simplifier().convert(text[:_MOST].encode("utf-8", "replace").decode())
    for pattern, may in _ASIDE:
        if may(plain):
            plain = pattern.sub(" ", plain)
    plain = _SPACES.sub(" ", plain).strip(" ,;:，；：、")
    for _ in range(2):
        hello = _HELLO.match(plain)
        plain = plain[hello.end() :] if hello else plain
        if plain.rstrip(_MARKS).casefold().endswith(_LAST_OF_THANKS):
            plain = _THANKS.sub("", plain)
    plain = plain.strip(" ,;:，；：、")
    return plain if any(character.isalpha() for character in plain) else text


@lru_cache(maxsize=1)
def _simplifier() -> "opencc.OpenCC":
    import opencc  # reads its dictionaries: only where a text is compared

    return opencc.OpenCC("t2s")
