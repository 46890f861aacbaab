"""The door: redact, hash the customer, append to the inbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from models.agents import AgentRules, part
from models.fingerprint import customer_key, unnamed_key
from models.message import CustomerKey, Message, RawMessage, RedactedText
from models.redact import Redactor, RedactSettings
from service.clock import Clock
from service.errors import BadMessage
from service.pipeline.together import Together
from service.store.agents import AgentGroups
from service.store.codec import CELL_SEPARATOR, FIELD_SEPARATOR, Entry
from service.store.inbox import Accepted, Inbox

_AHEAD = timedelta(minutes=15)  # a sender's clock may be this far ahead; more is an error of its time zone
_SHORT, _REMEMBERED = 64, 20_000  # characters of a value, and values, that are remembered: at most some 5 MB
_REMEMBERED_FOR = timedelta(minutes=1)
_SEPARATORS = str.maketrans("", "", CELL_SEPARATOR + FIELD_SEPARATOR)


@dataclass(frozen=True, slots=True)
class IngestRules:
    """Limits and secrets of the door."""

    hash_key: bytes
    max_text: int
    redact: RedactSettings
    agents: AgentRules = field(default_factory=AgentRules)
    check_clock: bool = True
    """False where time is the messages' own (imports, replays)."""


class Ingest:
    """Raw messages in, inbox entries out; raw text goes no further than this class."""

    def __init__(self, inbox: Inbox, rules: IngestRules, clock: Clock, groups: AgentGroups | None = None) -> None:
        self._inbox = inbox
        self._groups = groups
        self._rules = rules
        self._clock = clock
        self._together = Together(inbox, clock)
        self._redact = Redactor(rules.redact)
        self._harmless: set[str] = set()
        self._since = clock()

    def check(self, raw: RawMessage) -> None:
        """Raises `BadMessage` with the field and the fix."""
        if not raw.text.strip():
            raise BadMessage("text", "is empty; send what the customer wrote", "text_empty")
        if len(raw.text) > self._rules.max_text:
            raise BadMessage("text", f"is longer than {self._rules.max_text} characters; shorten it", "text_too_long")
        self.check_time(raw.occurred_at)

    def check_time(self, at: datetime) -> None:
        """Raises `BadMessage` where a sender's clock must be wrong."""
        if self._rules.check_clock and at > self._clock() + _AHEAD:
            raise BadMessage("occurred_at", "lies in the future; check the sender's clock and zone", "future")

    async def take(self, raws: Sequence[RawMessage], answer: str | None = None) -> list[Accepted]:
        """Append checked messages; returns once the store has them. Raises `StoreAway` or `Overloaded`."""
        now = self._clock()
        if now - self._since >= _REMEMBERED_FOR:
            self.forget()
        entries = [await self._entry(raw, answer) for raw in raws]
        return await self._inbox.accept(entries, now)

    async def take_one(self, raw: RawMessage, answer: str | None = None) -> Accepted:
        """The same for one message; what other senders post at the same time goes into the store with it."""
        if self._clock() - self._since >= _REMEMBERED_FOR:
            self.forget()
        return await self._together.accept(await self._entry(raw, answer))

    def forget(self) -> None:
        """Drop what is held in memory: a minute has passed, or somebody was erased."""
        self._harmless.clear()
        self._since = self._clock()

    async def ask(self, raw: RawMessage, answer: str) -> None:
        """Ask what a text is about without counting it. Raises as `take` does."""
        await self._inbox.ask(Entry(self.redacted(raw), answer, ask=True))

    def redacted(self, raw: RawMessage) -> Message:
        """The message as it is kept: no personal data in text or attributes, the customer a keyed hash."""
        text = self._redact(raw.text).text
        attributes = self.kept(raw.attributes) if raw.attributes else {}
        if raw.channel:
            attributes["channel"] = self._value(raw.channel)
        return Message(
            id=raw.id,
            source=raw.source,
            text=text,
            occurred_at=raw.occurred_at,
            customer=self._customer(raw.customer_id, text),
            order_id=raw.order_id,
            attributes=attributes,
        )

    def kept(self, attributes: Mapping[str, str]) -> dict[str, str]:
        """Attributes as they are kept: redacted, and nothing about agents."""
        return self._clean(part(attributes, self._rules.agents).attributes)

    async def kept_with_groups(self, attributes: Mapping[str, str]) -> dict[str, str]:
        """The same with the groups of agents that are switched on and large enough. Raises `StoreAway`."""
        parted = part(attributes, self._rules.agents)
        kept = self._clean(parted.attributes)
        if parted.groups and self._groups is not None:
            agent = self.customer(parted.agent) if parted.agent else None
            kept |= await self._groups.admitted(self._clean(parted.groups), agent)
        return kept

    def customer(self, customer_id: str) -> CustomerKey:
        """The customer as the store knows it."""
        return customer_key(customer_id, key=self._rules.hash_key)

    async def _entry(self, raw: RawMessage, answer: str | None) -> Entry:
        message = self.redacted(raw)
        if self._rules.agents.fields:
            message = await self._grouped(message, raw)
        return Entry(message, answer)

    async def _grouped(self, message: Message, raw: RawMessage) -> Message:
        return replace(message, attributes=dict(message.attributes) | await self.kept_with_groups(raw.attributes))

    def _clean(self, attributes: Mapping[str, str]) -> dict[str, str]:
        return {_plain(name): self._value(value) for name, value in attributes.items() if value}

    def _value(self, value: str) -> str:
        """An attribute's value, redacted. Values come again and again: those short ones that held no personal data
        are remembered, and nothing else is."""
        if value in self._harmless:
            return value
        kept = self._redact(_plain(value)).text
        if kept == value and len(value) <= _SHORT:
            if len(self._harmless) >= _REMEMBERED:
                self._harmless.clear()
            self._harmless.add(value)
        return kept

    def _customer(self, customer_id: str | None, text: RedactedText) -> CustomerKey:
        return self.customer(customer_id) if customer_id else unnamed_key(text)


def _plain(word: str) -> str:
    return word if word.isprintable() else word.translate(_SEPARATORS)
