"""Messages that are no issue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.chatter import is_chatter

COURTESIES = [
    "你好",
    "您好！在吗？",
    "在吗在吗在吗",
    "亲，在不在",
    "谢谢",
    "好的，谢谢亲",
    "嗯嗯 好的",
    "转人工",
    "人工客服！！！",
    "妳好，請問在嗎",
    "感谢您的咨询，祝您生活愉快",
    "hello",
    "Hi there!",
    "Thank you so much 😊",
    "ok thanks bye",
    "Good morning, is anyone there?",
    "How may I help you today?",
    "👍👍",
    "。。。",
    "",
    "666",
]
ISSUES = [
    "你好，退款没到账",
    "在吗，衣服掉色",
    "谢谢你们把我的快递弄丢了",
    "不好用",
    "坏了",
    "收到了但是碎了",
    "好的我要投诉",
    "没发货",
    "hi, my parcel is late",
    "refund",
    "it is broken, thanks for nothing",
    "no power",
    "ok but where is my money",
    "人工客服态度差",
]


@pytest.mark.parametrize("text", COURTESIES)
def test_courtesies_are_chatter(text: str) -> None:
    assert is_chatter(text)


@pytest.mark.parametrize("text", ISSUES)
def test_issues_are_not_however_politely_told(text: str) -> None:
    assert not is_chatter(text)


@given(st.text(max_size=400))
def test_any_text_is_judged(text: str) -> None:
    assert is_chatter(text) in (True, False)


def test_a_long_chain_of_courtesies_is_judged_at_once() -> None:
    assert not is_chatter("你好" * 5000 + "退款")
    assert not is_chatter("哈" * 55 + "退款")
