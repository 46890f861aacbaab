"""Messages that are no issue: greetings, thanks, assent, calls for a person, emoji, and agents' set phrases.

They are counted, but kept out of topics: "在吗" would otherwise be the largest topic of every shop, and near
to everything.
"""

import re

from models.fingerprint import normalise

_CHINESE = """
    你好呀? 妳好 您好呀? 你们好 哈喽 哈啰 嗨 早 早上好 上午好 中午好 下午好 晚上好 晚安 在 在吗 在么 在不在
    在线吗 有人吗 有人在吗 有人么 有人没 人呢 客服 客服在吗 亲 亲亲 亲爱的 老板 店家 店主 掌柜的? 小姐姐 小哥哥
    谢谢你? 谢谢您 谢谢啦 谢谢了 谢了 多谢 感谢 非常感谢 十分感谢 谢啦 辛苦 辛苦了 麻烦了 麻烦你了 麻烦您了
    麻烦 好 好的 好滴 好哒 好嘞 好吧 好呢 可以 可以的 行 行吧 嗯 嗯嗯 恩 恩恩 哦 哦哦 噢 喔 哈 哈哈 呵呵 嘻嘻
    是 是的 是滴 对 对的 没错 知道了 我知道了 明白 明白了 了解 了解了 收到 收到了谢谢 没事 没事了 没关系 不客气
    不用谢 不用了 没有了 没了 再见 拜拜 拜 回见 祝你?生意兴隆 新年快乐 节日快乐 中秋快乐 生日快乐 加油 赞 棒
    厉害 啊 呀 呢 吧 嘛 啦 哟 哎 唉 喂 人工 人工客服 转人工 转人工客服 找人工 我要人工 请转人工 我要找人工
    接人工 人工服务 转接人工 回复 回复一下 请回复 请问 请问一下 想问一下 咨询 咨询一下 问一下 吗 么 哒
    感谢您的(?:咨询|支持|耐心等待|理解|光临|惠顾|来访) 感谢您对我们的支持 很高兴为您服务
    请问有什么可以帮(?:您|到您|助您|您的) 有什么可以帮(?:您|到您|您的)吗? 欢迎光临(?:本店)? 请稍等 稍等
    请您?稍等一下 稍等一下 请您耐心等待 正在为您(?:转接|查询) 祝您(?:生活愉快|购物愉快)
    还有(?:其他|什么)(?:问题|可以帮您的)吗? 欢迎下次光临 本次服务已?结束 期待您的再次光临
"""
_ENGLISH = """
    hi hii hello helo hey heya yo there good_(?:morning|afternoon|evening|day|night) greetings thanks thank_you
    thanx thx ty tks cheers thank_you_(?:so|very)_much many_thanks thanks_(?:a_lot|so_much|in_advance|again)
    appreciated? much_appreciated ok okay okey k kk alright all_right fine great perfect cool nice awesome wow
    yes yeah yep yup nope sure got_it i_see understood noted right bye goodbye bye_bye see_you
    have_a_(?:nice|good|great)_(?:day|one|evening|weekend) welcome you_re_welcome your_welcome no_problem np
    please pls sorry anyone_there is_(?:anyone|anybody|someone)_there are_you_there hello_anyone help help_me
    can_you_help(?:_me)? i_need_help(?:_please)?
    (?:agent|human|operator|representative|live_chat|live_agent|real_person|customer_service|support)
    (?:talk|speak)_to_(?:an?_)?(?:agent|human|person) lol haha hehe sir madam team guys everyone dear and so
    much very you me how_(?:can|may)_i_(?:help|assist)_you(?:_today)?
    thank_you_for_(?:contacting_us|your_patience|reaching_out|contacting_support)
    is_there_anything_else_i_can_help_(?:you_)?with my_friend
"""
_PHRASES = sorted({*_CHINESE.split(), *(phrase.replace("_", " ") for phrase in _ENGLISH.split())}, key=len)
# Longest first and atomic: no way back into a phrase, or "哈哈哈…" could be cut in a million ways.
_CHATTER = re.compile(rf"(?:(?>{'|'.join(reversed(_PHRASES))})(?![a-z])\s*+)++")
_NO_WORDS = re.compile(r"[\W\d_]*")
_LONGEST = 60  # characters; longer than any chain of courtesies


def is_chatter(text: str) -> bool:
    """Whether a message says nothing that could be an issue: courtesies, set phrases and emoji only.

    >>> is_chatter("您好，在吗？"), is_chatter("Hi, thanks a lot!! 👍"), is_chatter("在吗，退款还没到")
    (True, True, False)
    """
    spoken = normalise(text)
    if _NO_WORDS.fullmatch(spoken):
        return True
    return len(spoken) <= _LONGEST and _CHATTER.fullmatch(spoken) is not None
