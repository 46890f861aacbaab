"""The shadow of a text: what a reader sees, in plain characters, with the way back to the original.

Rules look for personal data in the shadow, so that full-width digits, circled digits, zero-width and
bidirectional characters, emoji keycaps and Traditional forms hide nothing; what is not personal is then kept
exactly as it was written.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

HIDDEN = "\ue000"
"""Stands in a shadow where a placeholder stands: no rule matches it, so nothing is redacted twice."""
CALLED = "\ue002"
"""The same, where the placeholder is that of a telephone: names stand beside those."""
MARKS = HIDDEN + CALLED
KEPT = "\ue001"
"""Stands where a rule has claimed a number that is to stay as it is, so that no later rule takes it."""

_PLAIN = r"\t\n\r\x20-\x7e\u4e00-\u9fff、。，！？…“”"
_ODD = re.compile(f"[^{_PLAIN}]")
_TRADITIONAL = {
    # The characters of the cues, place words and surnames of the rules that differ in Traditional script.
    ord(traditional): simplified
    for traditional, simplified in zip(
        "貨聯繫係電話機訂單號遞證護銀帳賬郵縣區鎮鄉樓棟層園莊廣廈衚衖發給運傳據戶開稱個車輛馬張陳劉楊黃趙吳孫"
        "蘇許韓馮鄧蕭葉呂蔣閻譚陸範賈韋鄒龍賀顧龔嚴錢湯溫齊喬龐顏聶魯歐關蘭紀畢塗藍駱華饒連項婁費衛應閔鞏謝羅鄭樂師"
        "東滬遼閩陝貴雲瓊粵贛寧碼為動讓時處薩買轉頭這們樣說請幫儘誰還沒進來對錯從無過點門",
        "货联系系电话机订单号递证护银账账邮县区镇乡楼栋层园庄广厦胡同发给运传据户开称个车辆马张陈刘杨黄赵吴孙"
        "苏许韩冯邓萧叶吕蒋阎谭陆范贾韦邹龙贺顾龚严钱汤温齐乔庞颜聂鲁欧关兰纪毕涂蓝骆华饶连项娄费卫应闵巩谢罗郑乐师"
        "东沪辽闽陕贵云琼粤赣宁码为动让时处萨买转头这们样说请帮尽谁还没进来对错从无过点门",
        strict=True,
    )
}
_DOTS = {"ı": "i", "İ": "I"}
"""Turkish letters that a pattern in any case takes for an i."""
_HAS_TRADITIONAL = re.compile("[" + "".join(map(chr, _TRADITIONAL)) + "]")


def fold(text: str) -> str:
    """The shadow of any string, lone surrogates included. Linear.

    >>> fold("１３８\\u200b⓪")
    '1380'
    """
    plain = _ODD.sub(lambda odd: _fold_char(odd[0]), text)
    return plain.translate(_TRADITIONAL) if _HAS_TRADITIONAL.search(plain) else plain


def origins(text: str) -> Sequence[int]:
    """Where each character of ``fold(text)`` stands in ``text``; at the end, the length of ``text``."""
    if not _ODD.search(text):
        return range(len(text) + 1)
    places = [place for place, char in enumerate(text) for _ in _fold_char(char)]
    return [*places, len(text)]


@lru_cache(maxsize=8192)
def _fold_char(char: str) -> str:
    if not _ODD.match(char):
        return char
    category = unicodedata.category(char)
    if category in {"Cs", "Co"}:  # lone surrogates, and the private use area that our own marks come from
        return "\ufffd"
    if category in {"Cf", "Cc", "Mn", "Me"} or char in "\u115f\u1160\u3164\uffa0":  # drawn as nothing
        return ""
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    if category == "Pd" or char == "\u2212":
        return "-"
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    if char in _DOTS:
        return _DOTS[char]
    compatible = unicodedata.normalize("NFKC", char)
    return compatible if len(compatible) == 1 or compatible.isascii() else char
