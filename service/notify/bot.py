"""A bot of a chat platform: a card goes out in the platform's form, and its own words say what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from service.notify.card import Card, Voice, card_of
from service.notify.outcome import Outcome
from service.notify.post import Answer, Post


@dataclass(frozen=True, slots=True)
class Sheet:
    """One request: its body, and what is added to the address."""

    body: bytes
    query: Mapping[str, str] | None = None


class Bot:
    """One webhook. ``write`` puts a card in the platform's form as of a time; ``verdict`` reads the answer, since
    platforms answer 200 to what they refuse."""

    def __init__(
        self, post: Post, voice: Voice, write: Callable[[Card, datetime], Sheet], verdict: Callable[[Answer], Outcome]
    ) -> None:
        self._post = post
        self._voice = voice
        self._write = write
        self._verdict = verdict

    async def send(self, payload: bytes, *, id: str, at: datetime) -> Outcome:  # noqa: A002
        sheet = self._write(card_of(payload, self._voice), at)
        answer = await self._post(sheet.body, {}, at=at, query=sheet.query)
        return self._verdict(answer) if isinstance(answer, Answer) else answer
