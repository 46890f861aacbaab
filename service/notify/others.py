"""Every other service, through apprise, where it is installed (the extra ``apprise``).

Apprise makes its own connections, so the guard of `service.notify.address` does not hold here: give it only
addresses that you chose yourself.
"""

import warnings
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any

from service.notify.card import Card, Voice, card_of
from service.notify.outcome import Delivered, Later, Outcome
from service.notify.pace import Pace

PACE = Pace((20, timedelta(minutes=1)))
"""As the strictest of the bots: apprise doesn't tell what each service bears."""


class Others:
    """One apprise address. ``ValueError`` where apprise is missing or does not know the address."""

    def __init__(self, url: str, voice: Voice) -> None:
        if find_spec("apprise") is None:
            raise ValueError("kind 'apprise' needs the package: pip install 'tocsin[apprise]'")
        with warnings.catch_warnings():
            # Its parts import modules that later versions of Python no longer have; it knows what to do then.
            warnings.simplefilter("ignore", DeprecationWarning)
            import apprise

            self._apprise: Any = apprise
            self._sender = apprise.Apprise()
            known = self._sender.add(url)
        if not known:
            raise ValueError("apprise does not know this kind of address")
        self._voice = voice

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        """Send as plain text; apprise tells only whether it went well."""
        card = card_of(payload, self._voice)
        sent = await self._sender.async_notify(
            title=card.title,
            body=_body(card),
            body_format=self._apprise.NotifyFormat.TEXT,
            notify_type=self._apprise.NotifyType.SUCCESS
            if card.mood == "resolved"
            else self._apprise.NotifyType.WARNING,
        )
        return Delivered() if sent else Later("not_sent")


def _body(card: Card) -> str:
    return card.text().partition("\n")[2] or card.title
