"""Chatter: messages that say nothing about an issue, such as greetings, thanks and agents' macros.

They would make topics of their own, the largest of all, and dilute the shares of the others.
"""

import re
from enum import StrEnum

from models.fingerprint import normalise
from models.redact.rules import PLACEHOLDER


class Reason(StrEnum):
    """Why a message is chatter."""

    GREETING = "greeting"
    THANKS = "thanks"
    REPLY = "reply"
    """Yes, no, "got it": an answer whose question is elsewhere."""
    MACRO = "macro"
    """What an agent or a bot sends to everybody."""
    NUMBER = "number"
    """Numbers only: an order number, a menu choice, a telephone number already redacted."""
    SYMBOLS = "symbols"
    """Punctuation or emoji only, or nothing at all."""


_LONGEST = 120
"""Characters, normalised. Chatter is short; what is longer says something."""

# Phrases as `normalise` leaves them: small letters, simplified, without punctuation, "谢谢谢" as "谢".
_GREETINGS = """
    你好 您好 你们好 大家好 亲 亲亲 在 在吗 在么 在嘛 在不在 在不 有人吗 有人么 有人在吗 有人不 客服在吗 客服 哈喽 哈啰 嗨 喂
    早 早安 早上好 上午好 中午好 下午好 晚上好 晚安 再见 拜拜 打扰了 打扰一下 老板 老板在吗 店家 掌柜 掌柜的 小二
    hi hello hey hiya yo hi_there hello_there hey_there good_morning good_afternoon good_evening good_night greetings
    anyone_there is_anyone_there anybody_there are_you_there bye goodbye see_you
"""
_THANKS = """
    谢 谢谢 谢谢你 谢谢您 谢谢你们 谢谢亲 谢谢客服 多谢 感谢 非常感谢 十分感谢 太感谢了 万分感谢 谢了 谢啦 3q 辛苦 辛苦了
    辛苦你了 辛苦您了 麻烦了 麻烦你了 麻烦您了 不好意思 拜托 拜托了 不客气 没关系 没事 没事了
    thanks thank_you thank_u thx ty tks thanks_a_lot thanks_so_much thank_you_so_much thank_you_very_much many_thanks
    cheers much_appreciated appreciate_it appreciated you_re_welcome no_worries no_problem no_thanks no_thank_you sorry
"""
_REPLIES = """
    好的 好滴 好哒 好嘞 嗯 嗯嗯 恩 哦哦 噢 喔 知道了 我知道了 明白了 了解了 好的收到 没问题 哈哈 呵呵 嘿嘿 嘻嘻 额 呃 我看看
    ok okay okey yes yep yeah yup sure got_it i_see alright all_right great cool nice perfect understood noted
    sounds_good will_do lol haha hmm
"""
# Chatter only when they are the whole message: 没有 and 收到 are replies, 没有收到 is a complaint.
_WHOLE_REPLIES = """
    好 好吧 行 行吧 可以 是 是的 对 对的 不是 没有 有 收到 知道 明白 了解 不用 不用了 算了 不 哦 啊 哈 k no nope right fine
"""
_FILLERS = """
    的 了 啊 呀 呢 吧 嘛 吗 么 哈 哟 喽 啦 哦 请问 那 那好
    then so well there again please sir madam guys all team
"""

_MACROS = (
    r"亲?亲?在的[哦呢呀]?亲?",
    r"(?:请问)?[您你]?(?:还)?有(?:什么|其他|别的|其它)(?:问题|疑问)?(?:是)?我?(?:可以|能|需要)?(?:帮助|帮到|帮|为)到?[您你]"
    r"(?:服务|效劳|解答|处理|解决)?的?[吗呢]?",
    r"请问[您你]?(?:遇到了?|有)什么(?:问题|需要)[吗呢]?",
    r"(?:很|非常)?高兴为[您你]服务",
    r"欢迎(?:光临|咨询|来到|致电)[\u4e00-\u9fffa-z0-9]{0,12}?(?:店|客服|中心|(?=请问)|(?=很高兴)|$)",
    r"(?:请|麻烦)?[您你]?稍等(?:一下|片刻)?[哦呢]?",
    r"请[您你]?耐心等待(?:一下)?",
    r"(?:正在|马上|这边)为[您你](?:查询|转接|核实|处理|查看)(?:中|人工客服|一下)?",
    r"感谢[您你]的?(?:耐心)?(?:等待|咨询|来电|支持|理解|配合|反馈)",
    r"祝[您你](?:生活|购物|工作|周末|节日)愉快",
    r"我是(?:人工|智能|在线)?客服[a-z0-9]{0,8}",
    r"请?对?(?:我的|本次|这次)服务(?:进行|做个|打个)?(?:评价|打分)",
    r"(?:how|what) (?:may|can) i (?:help|assist|do for) you(?: with)?(?: today)?",
    r"(?:thank you|thanks) for (?:your patience|waiting|your message|(?:contacting|calling|reaching out|getting in touch)"
    r"(?: to)?(?: us|(?: [a-z0-9]{1,12}){1,3}? (?:support|customer service|customer care)))",
    r"(?:is there|do you have) anything else(?: that)? (?:i|we) can (?:help|assist)(?: you)?(?: with)?(?: today)?",
    r"(?:please hold|please wait|hold on|one moment|just a moment)(?: for)?(?: a| one)?(?: moment| minute| second)?",
    r"let me check(?: that| this)?(?: for you)?",
    r"(?:i|we)(?: will| ll| would| d)? be (?:happy|glad) to (?:help|assist)(?: you)?(?: with that| with this)?",
    r"(?:i m |i am )?(?:happy|glad|here) to help(?: you)?",
    r"have a (?:great|nice|good|wonderful|lovely) (?:day|evening|weekend|one)(?: ahead)?",
    r"welcome to(?: [a-z0-9]{1,12}){1,3}? (?:support|customer service|customer care)",
)


def is_chatter(text: str) -> Reason | None:
    """Why the message says nothing about an issue, or ``None`` where it may say something.

    Chatter only where nothing else is in it: "您好，快递没到" is none, nor is any word not known here. The text
    may be raw or redacted.

    >>> is_chatter("亲，在吗？")
    <Reason.GREETING: 'greeting'>
    >>> is_chatter("在吗？充电器坏了") is None
    True
    """
    rest = normalise(PLACEHOLDER.sub(" 0 ", text))
    if len(rest) > _LONGEST:
        return None
    if not any(map(str.isalnum, rest)):
        return Reason.SYMBOLS
    if not any(map(str.isalpha, rest)):
        return Reason.NUMBER
    return Reason.REPLY if rest in _WHOLE else _spoken(rest)


def _spoken(rest: str) -> Reason | None:
    """The weightiest reason of the phrases that the text is made of, if it is made of phrases alone."""
    reasons: set[Reason] = set()
    position = 0
    while position < len(rest):
        match = _MACRO.match(rest, position)
        if match and match.end() > position and _ends_word(rest, match.end()):
            reasons.add(Reason.MACRO)
        elif match := _PHRASES.match(rest, position):
            reason = _REASONS.get(match[0])
            reasons.update([reason] if reason else ())
        else:
            return None
        position = match.end()
    return next((reason for reason in _WEIGHT if reason in reasons), None)


def _ends_word(text: str, end: int) -> bool:
    return not (text[end - 1].isascii() and text[end : end + 1].isascii() and text[end : end + 1].isalnum())


def _phrases(words: str) -> list[str]:
    return [word.replace("_", " ") for word in words.split()]


_WEIGHT = (Reason.MACRO, Reason.GREETING, Reason.THANKS, Reason.REPLY)
_REASONS = {
    phrase: reason
    for reason, words in ((Reason.REPLY, _REPLIES), (Reason.THANKS, _THANKS), (Reason.GREETING, _GREETINGS))
    for phrase in _phrases(words)
}
# Longest first, and whole words where letters are Latin.
_PHRASES = re.compile(
    "|".join(
        re.escape(phrase) + (r"(?![a-z0-9])" if phrase[-1].isascii() else "")
        for phrase in sorted({*_REASONS, *_phrases(_FILLERS)}, key=len, reverse=True)
    )
    + r"| +"
)
_WHOLE = frozenset(_phrases(_WHOLE_REPLIES))
_MACRO = re.compile("|".join(_MACROS))
