import json

import pytest

from service.notify.card import Voice
from service.notify.others import Others
from service.notify.outcome import Delivered, Later
from tests.service.notify.conftest import Receiver
from tests.service.notify.payloads import AT, payload

pytest.importorskip("apprise")


async def test_apprise_carries_the_card_as_plain_text_to_any_service_it_knows(receiver: Receiver) -> None:
    receiver.status = 200
    out = Others(f"json://127.0.0.1:{receiver.port}/hook", Voice("zh"))
    assert await out.send(payload(), id="a", at=AT) == Delivered()
    sent = json.loads(receiver.seen[0][2])
    assert sent["title"] == "【严重】新告警：充不进电"
    assert "“用了三天就充不进电”" in sent["message"]


async def test_a_service_that_refuses_is_tried_later(receiver: Receiver) -> None:
    receiver.status = 500
    assert await Others(f"json://127.0.0.1:{receiver.port}/", Voice()).send(payload(), id="a", at=AT) == Later(
        "not_sent"
    )
