import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.chatter import Reason, is_chatter

CHATTER = {
    Reason.GREETING: [
        "你好",
        "您好！",
        "亲，在吗？",
        "在吗在吗在吗",
        "有人吗？？？",
        "客服在吗",
        "哈喽～",
        "早上好",
        "喂喂喂",
        "晚安😴",
        "哈囉",
        "您好 您好",
        "hi",
        "Hello!!",
        "HELLOOOO",
        "hey there",
        "good morning",
        "Is anyone there?",
        "bye",
        "hi team",
        "你好 hello",
    ],
    Reason.THANKS: [
        "谢谢",
        "謝謝您！",
        "好的，谢谢亲",
        "辛苦了～",
        "没事了，谢谢",
        "不好意思",
        "不客气😊",
        "thanks",
        "Thank you so much!!!",
        "ok thanks",
        "thx 🙏",
        "no worries",
        "no, thanks",
    ],
    Reason.REPLY: [
        "好的",
        "嗯嗯嗯",
        "哦",
        "收到",
        "没有",
        "是的。",
        "知道了",
        "可以",
        "行吧",
        "好好好好好好",
        "哈哈哈哈",
        "ok",
        "OK.",
        "yes",
        "No",
        "got it",
        "great",
        "sounds good",
    ],
    Reason.MACRO: [
        "亲，在的",
        "亲，在的哦~请问有什么可以帮您的吗？",
        "您好，请问有什么可以帮到您？",
        "您好，很高兴为您服务",
        "欢迎光临虚构旗舰店，很高兴为您服务！",
        "请稍等，正在为您查询",
        "感谢您的耐心等待",
        "还有其他问题可以帮您吗",
        "祝您生活愉快！",
        "您好，我是客服007，请问有什么可以帮您",
        "How may I help you?",
        "Hello, how can I assist you today?",
        "Thank you for contacting Acme Support.",
        "Thanks for your patience!",
        "One moment please.",
        "Is there anything else I can help you with?",
        "I'll be happy to help.",
        "Have a great day!",
        "Let me check that for you.",
    ],
    Reason.NUMBER: ["1", "12345678", "１２３", "1 2 3", "42", "[phone]", "[order:abcdefgh]", "2024-05-01"],
    Reason.SYMBOLS: ["", " ", "？", "。。。。", "😀", "👍🏽👍🏽", "❤️", "!!!???", "～", "\u200b", "\ud83d"],
}


@pytest.mark.parametrize(("reason", "text"), [(reason, text) for reason, texts in CHATTER.items() for text in texts])
def test_chatter_is_told_with_its_reason(reason: Reason, text: str) -> None:
    assert is_chatter(text) is reason


COMPLAINTS = [
    "在吗？充电器坏了",
    "您好，快递三天没动了",
    "亲，退款呢",
    "谢谢，但是还没退款",
    "好的，那钱什么时候退",
    "没有收到",
    "没收到",
    "不好",
    "不行",
    "不是正品",
    "有问题",
    "对不上",
    "客服没有人",
    "人呢",
    "没有客服",
    "你好慢",
    "早就坏了",
    "可以退吗",
    "退款",
    "转人工",
    "差评",
    "垃圾",
    "坏了",
    "假货",
    "稍等三天了",
    "感谢你们的垃圾质量",
    "请问怎么退货",
    "订单12345678没到",
    "电话[phone]打不通",
    "我的地址是[address]",
    "两个都坏了",
    "3个坏了",
    "喂不饱",
    "谢谢退款",
    "hi, my parcel is late",
    "hello refund please",
    "ok but where is it",
    "thanks for nothing",
    "thank you so much for breaking it",
    "no refund",
    "not ok",
    "late",
    "broken",
    "scam",
    "help",
    "how can I help myself",
    "nobody there",
    "sure it is fake",
    "welcome to hell",
    "have a great day without power",
    "let me check out",
    "thank you for calling me a liar",
    "right shoe missing",
]


@pytest.mark.parametrize("text", COMPLAINTS)
def test_whatever_may_be_about_an_issue_is_no_chatter(text: str) -> None:
    assert is_chatter(text) is None


@given(
    st.lists(
        st.sampled_from(sorted({text for texts in CHATTER.values() for text in texts if text})), min_size=1, max_size=4
    ),
    st.sampled_from([text for text in COMPLAINTS if len(text) > 6]),
    st.booleans(),
)
def test_a_complaint_among_chatter_is_no_chatter(chatter: list[str], complaint: str, first: bool) -> None:
    words = [complaint, *chatter] if first else [*chatter, complaint]
    assert is_chatter("，".join(words)) is None


@given(st.text())
def test_any_string_has_an_answer(text: str) -> None:
    assert is_chatter(text) is None or is_chatter(text) in Reason


@pytest.mark.parametrize("unit", ["你好", "a", "1", "a1-", "在", "😀", "hi ", "欢迎光临", "为您", "。", "\ud83d", "請"])
def test_hostile_texts_end(unit: str) -> None:
    is_chatter(unit * (200_000 // len(unit)))
