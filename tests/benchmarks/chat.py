"""Messages for benchmarks, from the project's own wordings: each new, or as chat repeats itself.

How chat repeats itself is an assumption, stated here, not a measurement: of 100 messages 10 are greetings, thanks and
replies, 60 repeat one of 400 wordings by Zipf's law with exponent 1 (the n-th most frequent comes 1/n as often as the
first), typed in another way each time, and 30 were never said before.
"""

import random
from itertools import accumulate

import numpy as np

from training.corpus import Language, load_frames, load_issues
from training.phrase import dress, fill

CHATTER, REPEATED, WORDINGS = 0.10, 0.60, 400

_NOUNS: dict[Language, tuple[str, ...]] = {
    "zh": ("充电宝", "耳机", "羽绒服", "面霜", "电饭煲", "行李箱", "台灯", "猫粮"),
    "en": ("power bank", "headphones", "down jacket", "face cream", "rice cooker", "suitcase", "desk lamp", "cat food"),
}
_SMALL_TALK = ("你好", "在吗", "谢谢", "好的", "亲，在吗？", "hello", "thanks a lot", "ok", "您好，有人吗", "嗯嗯")


def new(count: int, *, seed: int = 0) -> list[str]:
    """Messages in both languages, no two alike."""
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    wordings: list[tuple[Language, str]] = [
        (language, text) for issue in load_issues() for language in _NOUNS for text in issue.wordings[language]
    ]
    frames = load_frames()
    found: dict[str, None] = {}
    while len(found) < count:
        language, text = chance.choice(wordings)
        said = fill(dress(text, language, frames, rng), language, _NOUNS[language], rng)
        found[f"{said} {chance.choice(_NOUNS[language])} {len(found)}"] = None
    return list(found)


def repeating(count: int, *, seed: int = 0) -> list[str]:
    """Messages as the page's first lines say."""
    chance = random.Random(seed)
    known = new(WORDINGS, seed=seed + 1)
    weights = list(accumulate(1 / rank for rank in range(1, WORDINGS + 1)))
    fresh = iter(new(count, seed=seed + 2))
    found = []
    for _ in range(count):
        drawn = chance.random()
        if drawn < CHATTER:
            found.append(chance.choice(_SMALL_TALK))
        elif drawn < CHATTER + REPEATED:
            (text,) = chance.choices(known, cum_weights=weights)
            found.append(_typed(text, chance))
        else:
            found.append(next(fresh))
    return found


def _typed(text: str, chance: random.Random) -> str:
    """The text as somebody else would type it: other marks, case and order number."""
    order = chance.choice(("", "", f" 订单号{chance.randrange(10**11, 10**12)}"))
    return chance.choice((text, text.upper(), text + "！！！", text + "...", f"  {text} 😡")) + order
