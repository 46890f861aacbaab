import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest

from service.notify.signature import Secret, parse_secrets, sign

AT = datetime(2025, 3, 3, 8, 0, 0, 900_000, tzinfo=UTC)


def whsec(length: int, fill: bytes = b"k") -> str:
    return "whsec_" + base64.b64encode(fill * length).decode()


def test_the_published_example_is_signed_as_published() -> None:
    # The example that the Standard Webhooks libraries test themselves with.
    secret = Secret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    headers = sign(b'{"test": 2432232314}', [secret], id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_timestamp_is_whole_seconds_in_any_zone() -> None:
    secret = Secret.parse(whsec(32))
    beijing = AT.astimezone(timezone(timedelta(hours=8)))
    assert sign(b"{}", [secret], id="a", at=AT) == sign(b"{}", [secret], id="a", at=beijing)
    assert sign(b"{}", [secret], id="a", at=AT)["webhook-timestamp"] == "1740988800"


def test_while_a_secret_is_replaced_both_sign() -> None:
    new, old = parse_secrets(f"{whsec(32, b'n')}, {whsec(24, b'o')}")
    both = sign(b"{}", [new, old], id="a", at=AT)["webhook-signature"].split(" ")
    assert both == [sign(b"{}", [one], id="a", at=AT)["webhook-signature"] for one in (new, old)]
    assert len(set(both)) == 2


@pytest.mark.parametrize("change", [{"id": "b"}, {"at": AT + timedelta(seconds=1)}, {"body": b"{ }"}])
def test_whatever_changes_changes_the_signature(change: dict[str, object]) -> None:
    secret = Secret.parse(whsec(32))
    same = {"body": b"{}", "id": "a", "at": AT}

    def signature(*, body: bytes, id: str, at: datetime) -> str:  # noqa: A002
        return sign(body, [secret], id=id, at=at)["webhook-signature"]

    assert signature(**same) != signature(**(same | change))  # type: ignore[arg-type]


def test_an_id_with_a_dot_is_refused() -> None:
    with pytest.raises(ValueError, match="dot"):
        sign(b"{}", [Secret.parse(whsec(32))], id="a.1", at=AT)


@pytest.mark.parametrize(
    "text", ["", "hunter2hunter2", "whsec_", "whsec_hunter2!", whsec(23), whsec(65), whsec(32)[6:]]
)
def test_a_bad_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and base64") as refusal:
        Secret.parse(text)
    assert "hunter2" not in str(refusal.value)


def test_a_secret_is_not_shown() -> None:
    assert repr(Secret.parse(whsec(32))) == "Secret(…)"
