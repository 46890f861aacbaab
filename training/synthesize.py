"""An invented stream of Chinese and English after-sales messages, with a bad batch hidden near its end.

`training.plan` decides everything that is counted; here each message is worded, in the order of time. The same
settings give the same stream.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from training.corpus import Language, load_fits, load_frames, load_noise
from training.phrase import SLIP_SHARE, dress, fill, slip
from training.plan import NOISE_KINDS, Plan, Settings, plan
from training.planted import Planted, arrivals
from training.rows import Row
from training.sender import Sender, Senders

OTHER_CHANNEL = "app"
"""Where the customers of an event turn while their channel is silent, so that the event keeps its size."""


def synthesize(settings: Settings) -> Iterator[Row]:
    """The rows of the stream that ``settings`` describes, in the order of time. Raises `SettingsError`."""
    return draw(plan(settings))


def draw(planned: Plan) -> Iterator[Row]:
    """The rows of ``planned``, in the order of time; ``planned.total`` of them, less those of a silent channel."""
    rng = np.random.default_rng([planned.settings.seed, 1])
    senders, words = Senders(planned, rng), _Words(planned, rng)
    number = 0
    for draft in _drafts(planned):
        sender = _sender(draft, senders)
        if any(event.channel == sender.channel and event.covers(draft.at) for event in planned.planted):
            if draft.event is None:
                continue
            sender = replace(sender, channel=OTHER_CHANNEL)
        number += 1
        yield _row(number, draft, sender, words)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A message before it has a sender and words."""

    at: datetime
    source: int
    """Row of the plan's counts: an issue, or past the issues a kind of noise."""
    event: Planted | None = None
    author: int = 0
    """Which of the event's customers writes."""


def _drafts(planned: Plan) -> Iterator[_Draft]:
    hidden = [_hidden(planned, number) for number in range(len(planned.planted))]
    return heapq.merge(_usual(planned), *hidden, key=lambda draft: draft.at)


def _usual(planned: Plan) -> Iterator[_Draft]:
    rng = np.random.default_rng([planned.settings.seed, 2])
    for hour, counts in enumerate(planned.counts.T):
        start = planned.settings.start + timedelta(hours=hour)
        sources = np.repeat(np.arange(len(counts)), counts)
        minutes = rng.uniform(0, 60, len(sources))
        for order in np.argsort(minutes):
            yield _Draft(start + timedelta(minutes=float(minutes[order])), int(sources[order]))


def _hidden(planned: Plan, number: int) -> Iterator[_Draft]:
    event = planned.planted[number]
    if not event.excess:
        return
    source = [issue.key for issue in planned.issues].index(event.topic or "")
    times = arrivals(event, np.random.default_rng([planned.settings.seed, 3, number]))
    for author, at in enumerate(times):
        yield _Draft(at, source, event, author % (event.customers or event.excess))


def _sender(draft: _Draft, senders: Senders) -> Sender:
    if draft.event is None:
        return senders.usual(draft.source, draft.at)
    return senders.planted(draft.event, draft.author, draft.source, draft.at)


def _row(number: int, draft: _Draft, sender: Sender, words: "_Words") -> Row:
    return Row(
        message_id=f"m{number:07d}",
        occurred_at=draft.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        customer_id=sender.customer,
        text=words.of(draft, sender),
        channel=sender.channel,
        sku=sender.product.sku if sender.told else "",
        batch=sender.batch if sender.told else "",
        region=sender.region,
        order_id=sender.order,
        issue=words.keys[draft.source],
        event=draft.event.id if draft.event else "",
    )


class _Words:
    """What is written. Deals the wordings of an issue like cards, so that none comes again before all have come."""

    def __init__(self, planned: Plan, rng: np.random.Generator) -> None:
        noise = load_noise()
        self.keys = [issue.key for issue in planned.issues] + list(NOISE_KINDS)
        self._texts = [issue.wordings for issue in planned.issues] + [noise[kind] for kind in NOISE_KINDS]
        self._complaints = len(planned.issues)
        self._frames = load_frames()
        self._fits = load_fits()
        self._rng = rng
        self._decks: dict[tuple[int, Language], list[str]] = {}
        self._copied: dict[tuple[str, Language], str] = {}

    def of(self, draft: _Draft, sender: Sender) -> str:
        """The text of one message; the copies of a copied text are alike to the letter."""
        if draft.event is None or draft.event.kind != "copy-paste":
            return self._say(draft.source, sender)
        key = (draft.event.id, sender.language)
        if key not in self._copied:
            self._copied[key] = self._say(draft.source, sender)
        return self._copied[key]

    def _say(self, source: int, sender: Sender) -> str:
        language = sender.language
        wording = self._deal(source, sender)
        if source < self._complaints:
            wording = dress(wording, language, self._frames, self._rng)
        if self._rng.random() < SLIP_SHARE:
            wording = slip(wording, language, self._rng)
        return fill(wording, language, sender.product.nouns[language], self._rng)

    def _deal(self, source: int, sender: Sender) -> str:
        """The next wording that suits the product. Raises ValueError where none of the issue does."""
        deck = self._decks.setdefault((source, sender.language), [])
        for _ in range(2):
            for place, wording in enumerate(deck):
                if self._fits.suits(wording, sender.language, sender.product.groups):
                    return deck.pop(place)
            deck.extend(self._shuffled(self._texts[source][sender.language]))
        raise ValueError(f"no wording of {self.keys[source]} suits {sender.product.sku}")

    def _shuffled(self, texts: tuple[str, ...]) -> list[str]:
        return [texts[place] for place in self._rng.permutation(len(texts))]
