"""From a wording to what a customer types: slots filled, a greeting, an order number, a slip of the finger.

Personal data is invented: telephone numbers of the ranges kept for fiction or of an all-zero block, addresses at
example.com, and the two identity numbers that GB 11643-1999 prints as its own examples.
"""

import re
import string
from collections.abc import Callable, Mapping

import numpy as np

from training.corpus import Frames, Language

Rng = np.random.Generator

OPENING_SHARE, CLOSING_SHARE = 0.3, 0.35
"""How often a customer greets, or adds a word after the complaint; chosen figures."""
SLIP_SHARE = 0.08
"""How often a message has a typing slip; a chosen figure."""

_SLOT = re.compile(r"{(\w+)}")

_PLAIN: Mapping[Language, str] = {"zh": "产品", "en": "product"}

_NAMES: Mapping[Language, tuple[str, ...]] = {
    "zh": ("王晓梅", "李建国", "张伟", "陈思雨", "刘洋", "赵敏", "周海燕", "孙浩然", "吴桂芳", "林小满"),
    "en": ("Anna Marsh", "Tom Whitfield", "Priya Nair", "Daniel Osei", "Grace Lim", "Marek Novak", "Sofia Rey"),
}
_SURNAMES: Mapping[Language, tuple[str, ...]] = {
    "zh": ("王", "李", "张", "陈", "刘", "赵", "周", "孙", "欧阳"),
    "en": ("Marsh", "Whitfield", "Nair", "Osei", "Lim", "Novak"),
}
_CITIES: Mapping[Language, tuple[str, ...]] = {
    "zh": ("杭州", "广州", "成都", "武汉", "西安", "沈阳", "郑州", "长沙", "合肥", "南宁"),
    "en": ("Leeds", "Austin", "Singapore", "Perth", "Dublin", "Toronto", "Penang", "Bristol"),
}
_CARRIERS: Mapping[Language, tuple[str, ...]] = {
    "zh": ("飞达快递", "蓝箭速运", "山猫物流", "云雀快运"),
    "en": ("SwiftPost", "Bluearrow", "Lynx Couriers", "Skylark Express"),
}
_STREETS: Mapping[Language, tuple[str, ...]] = {
    "zh": ("青石路", "望江街", "梧桐大道", "新桥巷", "星河路"),
    "en": ("Quarry Lane", "Willow Street", "Harbour Road", "Foxglove Avenue"),
}
_DAYS: Mapping[Language, tuple[str, ...]] = {
    "zh": ("三天", "4天", "五天", "一个星期", "8天", "快十天", "半个月", "两周", "六七天", "好几天"),
    "en": (
        "three days",
        "4 days",
        "five days",
        "a week",
        "8 days",
        "ten days",
        "two weeks",
        "6 days",
        "nearly a fortnight",
    ),
}
_TIMES: Mapping[Language, tuple[str, ...]] = {
    "zh": ("上午十点", "下午3点", "中午", "晚上七点多", "早上9点"),
    "en": ("10 am", "3 pm", "noon", "between 2 and 4 pm", "9 in the morning"),
}
_COLOURS: Mapping[Language, tuple[str, ...]] = {
    "zh": ("黑色", "藏青色", "米白色", "酒红色", "墨绿色"),
    "en": ("black", "navy", "cream", "burgundy", "dark green"),
}
_IDENTITY_NUMBERS = ("11010519491231002X", "440524188001010014")
_BANK_CARDS = ("6200000000000005", "4242424242424242")  # test numbers that payment firms publish
_HOMOPHONES = {"的": "得", "在": "再", "账": "帐", "充": "冲", "做": "作", "哪": "那", "吗": "嘛", "很": "狠"}


def _one(choices: tuple[str, ...], rng: Rng) -> str:
    return choices[int(rng.integers(len(choices)))]


def _digits(count: int, rng: Rng) -> str:
    return "".join(map(str, rng.integers(0, 10, count)))


def _phone(language: Language, rng: Rng) -> str:
    if language == "zh":
        number = f"1{_one(('38', '59', '77', '86', '99'), rng)}0000{_digits(4, rng)}"
        return number if rng.random() < 0.75 else f"{number[:3]} {number[3:7]} {number[7:]}"
    return f"07700 900{_digits(3, rng)}" if rng.random() < 0.6 else f"202-555-01{_digits(2, rng)}"


def _address(language: Language, rng: Rng) -> str:
    number, flat, street = rng.integers(1, 180), rng.integers(101, 1802), _one(_STREETS[language], rng)
    if language == "zh":
        return f"{_one(_CITIES['zh'], rng)}市{street}{number}号{rng.integers(1, 20)}栋{flat}室"
    return f"Flat {flat}, {number} {street}, {_one(_CITIES['en'], rng)}"


def _money(language: Language, rng: Rng) -> str:
    amount = int(rng.integers(19, 700))
    if language == "zh":
        return _one((f"{amount}块", f"{amount}元", f"{amount}.9元", f"¥{amount}"), rng)
    return _one((f"${amount}", f"{amount} dollars", f"£{amount}.50"), rng)


_FILLERS: Mapping[str, Callable[[Language, Rng], str]] = {
    "days": lambda language, rng: _one(_DAYS[language], rng),
    "n": lambda language, rng: str(rng.integers(2, 9)),
    "pct": lambda language, rng: f"{rng.integers(5, 60)}%",
    "money": _money,
    "time": lambda language, rng: _one(_TIMES[language], rng),
    "city": lambda language, rng: _one(_CITIES[language], rng),
    "carrier": lambda language, rng: _one(_CARRIERS[language], rng),
    "colour": lambda language, rng: _one(_COLOURS[language], rng),
    "size": lambda language, rng: _one(("S", "M", "L", "XL", "165", "175"), rng),
    "order": lambda language, rng: f"DD26{_digits(10, rng)}",
    "name": lambda language, rng: _one(_NAMES[language], rng),
    "surname": lambda language, rng: _one(_SURNAMES[language], rng),
    "phone": _phone,
    "address": _address,
    "email": lambda language, rng: f"{_one(('sunny', 'kite', 'maple', 'river'), rng)}{_digits(3, rng)}@example.com",
    "wechat": lambda language, rng: f"wx_{_one(('leaf', 'moon', 'tea'), rng)}{_digits(4, rng)}",
    "plate": lambda language, rng: f"京A{_digits(5, rng)}",
    "idcard": lambda language, rng: _one(_IDENTITY_NUMBERS, rng),
    "bankcard": lambda language, rng: _one(_BANK_CARDS, rng),
}

SLOTS = frozenset(_FILLERS) | {"product"}
"""Every slot that a wording may name."""


def fill(wording: str, language: Language, nouns: tuple[str, ...], rng: Rng) -> str:
    """``wording`` with its slots filled; ``nouns`` are what the product may be called. KeyError on an unknown slot."""

    def value(match: re.Match[str]) -> str:
        slot = match[1]
        return _one(nouns, rng) if slot == "product" else _FILLERS[slot](language, rng)

    return _SLOT.sub(value, wording)


def plain(wording: str, language: Language) -> str:
    """A wording as a sentence without chance: every slot holds the word for a product.

    >>> plain("My {product} came {days} late", "en")
    'My product came product late'
    """
    return _SLOT.sub(_PLAIN[language], wording)


def dress(wording: str, language: Language, frames: Frames, rng: Rng) -> str:
    """``wording`` between an opening and a closing, or neither; slots still open."""
    if rng.random() < OPENING_SHARE:
        wording = _one(frames.openings[language], rng) + wording
    if rng.random() < CLOSING_SHARE:
        closing = _one(frames.closings[language], rng)
        wording = _joined(wording, closing)
    return wording


def _joined(wording: str, closing: str) -> str:
    """A closing that begins a sentence ends the one before; one that begins with a mark does not double it."""
    ended = wording[-1] in "。！？?!.…"
    if closing[0] in "，。":
        return wording + (closing[1:] if ended else closing)
    return wording + ("." if closing.strip()[0].isupper() and not ended else "") + closing


def slip(wording: str, language: Language, rng: Rng) -> str:
    """``wording`` with one typing slip outside its slots, so that no number or address is spoilt.

    A homophone or lost punctuation in Chinese, two letters swapped in English; unchanged where none can slip.
    """
    slots = {place for match in _SLOT.finditer(wording) for place in range(*match.span())}
    free = [place for place in range(len(wording)) if place not in slots]
    return _slip_chinese(wording, free, rng) if language == "zh" else _slip_english(wording, free, rng)


def _slip_chinese(wording: str, free: list[int], rng: Rng) -> str:
    places = [place for place in free if wording[place] in _HOMOPHONES]
    if not places:
        return wording.replace("，", " ").rstrip("。！")
    at = places[int(rng.integers(len(places)))]
    return wording[:at] + _HOMOPHONES[wording[at]] + wording[at + 1 :]


def _slip_english(wording: str, free: list[int], rng: Rng) -> str:
    letters = {place for place in free if wording[place] in string.ascii_lowercase}
    places = [place for place in free if place > 0 and {place, place + 1} <= letters]
    if not places:
        return wording
    at = places[int(rng.integers(len(places)))]
    return wording[:at] + wording[at + 1] + wording[at] + wording[at + 2 :]
