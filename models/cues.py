"""Cues of how a thing went: words for well and ill, what negates them, and how certain the text sounds.

A word counts as negated where a negation stands before it in the same clause, near enough to reach it: "nothing is broken"
has a negated ill word, 没有坏点 too. Each cue is counted for `models.leaning`, which weighs them.
"""

import re

from models.embed import Language

CUES = (
    "well", "ill", "well negated", "ill negated", "cannot", "can", "negations", "negation alone", "ill negated alone",
    "well alone", "asks", "turns", "still", "done",
)  # fmt: skip
"""What `cues` counts, in order."""

_MOST = 2  # more of the same says no more
_REACH = {"zh": 6, "en": 6}  # characters, and words, over which a negation reaches
_LONGEST = 500  # characters looked at: what a text says of its issue, it says early

_WELL_ZH = """
    好 满意 喜欢 推荐 正常 顺利 成功 到账 收到 解决 修好 恢复 完好 完整 完美 齐 清晰 清楚 流畅 结实 牢 舒服 合身
    合适 正好 刚好 新鲜 干净 正品 客气 耐心 热情 礼貌 及时 准时 提前 快 方便 放心 安静 静音 稳定 免费 通过 同意 一样
    准 棒 赞 好评 五星 值得 香 好吃 爱吃 对 全 够 都在 通 温和 顺 漂亮 细腻 贴心 负责 惊喜 谢谢 满 秒
"""
_ILL_ZH = """
    坏 差 烂 碎 破 漏 烫 吵 噪 卡 闪退 崩 慢 丢 少 缺 错 假 虫 霉 过期 临期 拉肚子 拉稀 吐 过敏 疹 痒 刺激 臭 刺鼻
    怪味 异味 杂音 杂质 骂 凶 冻结 封 骗 失败 异常 故障 问题 报错 死机 缩 变形 掉色 褪 染 开线 开裂 裂 洞 线头 亮点
    坏点 花屏 鼓 发热 重复 投诉 垃圾 恶心 失望 后悔 难 超时 延误 晚 拖 扣 骚扰 泄露 拒 驳回 凭什么 取消 断 黑屏 糊
    结块 分层 生 苦 贵 坑 气 烦 脏 划痕 磨损 旧 拆过 用过 退货 赔
"""
_WELL_EN = """
    good great fine well happy love loved lovely perfect perfectly excellent nice works worked working fixed solved
    sorted resolved quick quickly fast smooth smoothly easy easily arrived received got approved accepted genuine
    authentic original fresh clean quiet silent polite friendly kind helpful patient correct right exactly intact
    undamaged full recommend pleased satisfied stable crisp clear comfortable delicious tasty instantly immediately
    thanks thank gentle cool free safe back found
"""
_ILL_EN = """
    bad broken break broke wrong late lost missing damaged rude fake expired mould mouldy bug bugs insect insects
    sick ill rash itch itching itchy irritate reaction leak leaks leaking noise noisy loud crash crashes crashed
    crashing fail fails failed failing denied refused rejected declined slow slower stuck swollen hot overheats dead
    flicker flickers smell smells stink stinks odour awful terrible horrible worst poor poorly unhelpful unable
    error problem problems trouble issue fault faulty defect defective fading fades faded shrank shrunk shrink torn
    hole holes loose lumpy lumps scratch scratched crushed smashed empty short twice duplicate spam adverts ads scam
    leaked insulted shouted locked blocked banned waiting wait delay delayed still yet worse unacceptable
    disappointed ridiculous useless charged cancelled drains jammed undone undelivered
"""
_NEGATIONS_EN = frozenset(
    word
    for words in ("not never no nothing nobody none neither without", "unable cannot hardly refuse refused refuses")
    for word in words.split()
)
_CONTRACTED = re.compile(
    r"\b(do|does|did|is|was|are|were|has|have|had|wo|would|ca|could|sha|should|ai|must|need)n['’]?t\b"
)


def _any_of(words: str) -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, words.split()), key=len, reverse=True)))


_NEGATES_ZH = re.compile(r"没有?|未|不|无|别|非|勿")
_NEGATED_ZH = re.compile(rf"(?:{_NEGATES_ZH.pattern})[^，。！？；,.!?;]{{0,3}}$")
_WORDS_ZH = {"well": _any_of(_WELL_ZH), "ill": _any_of(_ILL_ZH)}
_WORDS_EN = {"well": frozenset(_WELL_EN.split()), "ill": frozenset(_ILL_EN.split())}
_CANNOT_ZH = re.compile(r"[\u4e00-\u9fff]不[上进出开到掉动起下通成住清去来着回了满亮]")  # 充不进, 连不上
_CAN_ZH = re.compile(r"(?<![不才没])能[用充登开连上装打]|得[上进开]|可以(?=用|登|打|了|正常)")
_TOKEN_EN = re.compile(r"[a-z]+|[^a-z\s'’]")
_ASKS = re.compile(
    r"[?？]|怎么|为什么|为啥|什么时候|啥时候|多久|吗|呢|凭什么|能不能|是不是|哪"
    r"|\b(?:why|when|where|how|what|who|can you|can i|could you|please)\b"
)
_TURNS = re.compile(
    r"但|可是|就是|却|结果|不过|其实|本来|说好"
    r"|\b(?:but|yet|except|until|although|though|supposed|said|promised|again)\b"
)
_STILL = re.compile(r"还[没不是]|一直|到现在|才|只|又|再也|\b(?:still|yet|only|again|ago|days|weeks|hours)\b")
_DONE = re.compile(r"已经?|了[，。！\s]*$|\b(?:already|now|today|finally|at once)\b")


def cues(text: str, language: Language) -> tuple[int, ...]:
    """How often each of `CUES` stands in a redacted text, 0 to 2.

    >>> dict(zip(CUES, cues("袋子里没有虫", "zh"), strict=True))["ill negated"]
    1
    >>> dict(zip(CUES, cues("the refund hasn't arrived", "en"), strict=True))["well negated"]
    1
    """
    text = text[:_LONGEST].lower()
    counted = _counted_zh(text) if language == "zh" else _counted_en(text)
    well, ill, not_well, not_ill, cannot, _, negations = counted
    found = (
        *counted,
        negations > 0 and ill + not_ill == 0,
        not_ill > 0 and ill + not_well == 0,
        well > 0 and ill + not_well + cannot == 0,
        *(bool(pattern.search(text)) for pattern in (_ASKS, _TURNS, _STILL, _DONE)),
    )
    return tuple(min(int(one), _MOST) for one in found)


def _counted_zh(text: str) -> tuple[int, ...]:
    plain, negated = {"well": 0, "ill": 0}, {"well": 0, "ill": 0}
    for kind, words in _WORDS_ZH.items():
        for found in words.finditer(text):
            before = text[max(0, found.start() - _REACH["zh"]) : found.start()]
            (negated if _NEGATED_ZH.search(before) else plain)[kind] += 1
    several = [len(pattern.findall(text)) for pattern in (_CANNOT_ZH, _CAN_ZH, _NEGATES_ZH)]
    return plain["well"], plain["ill"], negated["well"], negated["ill"], *several


def _counted_en(text: str) -> tuple[int, ...]:
    plain, negated = {"well": 0, "ill": 0}, {"well": 0, "ill": 0}
    said, last = 0, None
    for place, word in enumerate(_TOKEN_EN.findall(_CONTRACTED.sub(r"\1 not", text))):
        if word in _NEGATIONS_EN:
            said, last = said + 1, place
        elif not word.isalpha():
            last = None  # a clause ends
        reached = last is not None and 0 < place - last <= _REACH["en"]
        for kind, words in _WORDS_EN.items():
            if word in words:
                (negated if reached else plain)[kind] += 1
    return plain["well"], plain["ill"], negated["well"], negated["ill"], 0, 0, said
