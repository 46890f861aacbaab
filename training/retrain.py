"""From messages to a bundle: read and redact, embed, tune, embed again, regroup, score, write. Each step is resumable."""

import io
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from models.bridge import rotation
from models.bundle import (
    ADAPTER,
    FORMAT,
    SCALES,
    TOPICS,
    Bundle,
    Data,
    Encoder,
    Manifest,
    load,
    read_manifest,
    topics_bytes,
    topics_from,
    write,
)
from models.embed import Centring, Embedder, Vectors, language_of
from models.encoder import adapter as adapters
from models.encoder.prepare import INTENT, embedder_name, prepare
from models.sentence import load_embedder
from models.tables import Broken
from models.topics import TopicModel
from training import kept, scoring, tuning
from training.adapter import Recipe
from training.kept import Columns, Kept
from training.regroup import Ground, Regrouping, regroup
from training.scoring import Arm, Scores
from training.steps import Steps, Told

STEPS = ("messages", "vectors before", "adapter", "encoder", "vectors after", "topics", "scores")
_LEAST_TURN = 100  # messages that tell how a space was turned
_EMBEDDED = 256  # texts embedded between two words of progress


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. ``recipe`` None leaves the encoder as it is."""

    file: Path | None
    columns: Columns
    live: Path | None
    out: Path
    cache: Path
    recipe: Recipe | None
    most: int

    def plan(self) -> dict[str, Any]:
        """All that decides the outcome: content of the files, columns and recipe."""
        return {
            "file": sha256(self.file.read_bytes()).hexdigest() if self.file else None,
            "live": read_manifest(self.live).checksum if self.live else None,
            "columns": asdict(self.columns),
            "recipe": asdict(self.recipe) if self.recipe else None,
            "most": self.most,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a retraining made, for the report."""

    manifest: Manifest
    scores: Scores
    before: TopicModel | None
    after: TopicModel
    messages: list[Kept]
    placed_before: scoring.Placed
    placed_after: scoring.Placed
    broken: list[Broken]


class Retraining:
    """One run; ``now`` is the birth of new topics. The live bundle is only read."""

    def __init__(self, order: Order, console: Console, now: datetime) -> None:
        self._order = order
        self._now = now
        self._live: Bundle | None = load(order.live) if order.live else None
        self._steps = Steps(order.out.with_name(f".work-{order.out.name}"), order.plan(), STEPS, console)

    def run(self) -> Outcome:
        """Raises `TableError`, `BundleError` or ValueError with what to do."""
        messages, broken = self._messages()
        base = self._base()
        own = load_embedder(base)
        texts = [one.gist for one in messages]
        raw = _vectors(self._steps.run("vectors before", lambda told: _embedded(own, texts, told)))
        live = self._live.topics if self._live else None
        before = _arm(live, messages, raw, live.centring) if live else None
        content = self._adapter(base, messages, before)
        embedder, after_raw = own, raw
        if content != (self._live.adapter if self._live else None):
            assert content is not None
            tuned = adapters.parsed(self._order.out.name, content)
            self._steps.run("encoder", lambda told: self._prepared(tuned, told))
            embedder = load_embedder(prepare(self._order.cache, adapter=tuned))  # at once, unless somebody deleted it
            after_raw = _vectors(self._steps.run("vectors after", lambda told: _embedded(embedder, texts, told)))
        regrouping = self._topics(messages, before, after_raw, embedder)
        after = _arm(regrouping, messages, after_raw, regrouping.centring)
        scores = self._scores(messages, before, after)
        manifest = self._write(messages, broken, content, before, after, scores)
        return Outcome(
            manifest, scores, live, regrouping, messages,
            before.placed if before else [None] * len(messages), after.placed, broken,
        )  # fmt: skip

    def end(self) -> None:
        """Forget the steps: all is written."""
        self._steps.end()

    def _messages(self) -> tuple[list[Kept], list[Broken]]:
        def make(_: Told) -> bytes:
            broken: list[Broken] = []
            key = secrets.token_bytes(16)
            found = list(kept.read_live(self._order.live)) if self._order.live else []
            if self._order.file:
                found += kept.read_file(self._order.file, self._order.columns, broken, key)
            found = _newest(found, self._order.most)
            told = json.dumps([asdict(one) for one in broken]).encode()
            return told + b"\n" + kept.packed(found)

        told, _, body = self._steps.run("messages", make).partition(b"\n")
        messages = kept.unpacked(body)
        if not messages:
            raise ValueError("there is no message to learn from: name a file, or a live bundle with messages")
        return messages, [Broken(**one) for one in json.loads(told)]

    def _base(self) -> Path:
        """The folder of the encoder that is live now."""
        content = self._live.adapter if self._live else None
        if content is None:
            return prepare(self._order.cache)
        assert self._live is not None
        return prepare(self._order.cache, adapter=_named(self._live.manifest.encoder.name, content))

    def _adapter(self, base: Path, messages: list[Kept], before: Arm | None) -> bytes | None:
        """The adapter of the bundle; that of before where nothing is tuned."""
        recipe, was = self._order.recipe, self._live.adapter if self._live else None
        if recipe is None:
            return was
        train = [row for row, one in enumerate(messages) if not one.held_out]
        part = [messages[row] for row in train]
        placed = before.sure(train) if before else [None] * len(part)
        labelled = kept.texts_by([one.label for one in part], part)
        topics = kept.texts_by([None if one.label else name for one, name in zip(part, placed, strict=True)], part)
        loose = [one.gist for one, name in zip(part, placed, strict=True) if name is None and not one.label]
        learnt = tuning.sources(labelled, topics, list(dict.fromkeys(loose)), seed=recipe.seed)
        if not learnt:
            return was
        held = list(dict.fromkeys(one.gist for one in part if one.old and one.gist))

        def make(told: Told) -> bytes:
            encoder = tuning.tune(base, learnt, held, recipe, lambda step, _: told(step / recipe.steps))
            first = _named(self._live.manifest.encoder.name, was) if self._live and was else adapters.load(INTENT)
            return adapters.stacked(first, encoder.parts())

        return self._steps.run("adapter", make)

    def _prepared(self, tuned: adapters.Adapter, told: Told) -> bytes:
        return prepare(self._order.cache, lambda _, share: told(share), adapter=tuned).name.encode()

    def _topics(self, messages: list[Kept], before: Arm | None, raw: Vectors, embedder: Embedder) -> TopicModel:
        live = self._live.topics if self._live else None
        languages = [language_of(one.text) for one in messages]
        train = [row for row, one in enumerate(messages) if not one.held_out]
        same_space = live is not None and live.embedder == embedder.name
        spoken = [languages[row] for row in train]
        centring = live.centring if live and same_space else Centring.fit(raw[train], spoken)

        def make(_: Told) -> bytes:
            ground = Ground(
                messages=[messages[row] for row in train],
                vectors=centring.apply(raw[train], spoken),
                centring=centring,
                former=[before.placed[row] if before and messages[row].old else None for row in train],
                embedder=embedder.name,
                embed=embedder.embed,
                turned=_turned(messages, before, centring.apply(raw, languages)) if not same_space else None,
            )
            found: Regrouping = regroup(ground, live, self._now)
            return topics_bytes(found.model)

        return topics_from(self._steps.run("topics", make))

    def _scores(self, messages: list[Kept], before: Arm | None, after: Arm) -> Scores:
        made: list[Scores] = []

        def make(_: Told) -> bytes:
            made.append(scoring.score(messages, before, after))
            return json.dumps(made[0].to_json()).encode()

        return Scores.from_json(json.loads(self._steps.run("scores", make)))

    def _write(
        self,
        messages: list[Kept],
        broken: list[Broken],
        content: bytes | None,
        before: Arm | None,
        after: Arm,
        scores: Scores,
    ) -> Manifest:
        out, base = self._order.out, embedder_name(adapters.load(INTENT))
        if out.is_dir() and (known := read_manifest(out)).data.fingerprint == _fingerprint(messages):
            return known  # killed between this step and the report
        contents = {TOPICS: topics_bytes(after.model)}
        if content is not None:
            contents[ADAPTER] = content
        if before is not None:
            contents[SCALES] = json.dumps(scoring.scales(messages, before.placed, after.placed)).encode()
        manifest = Manifest(
            format=FORMAT,
            kind="trained",
            name=out.name,
            made=self._now,
            encoder=Encoder(name=after.model.embedder, dimension=after.model.centring.dimension, base=base),
            data=Data(
                fingerprint=_fingerprint(messages),
                messages=len(messages),
                labelled=sum(one.label is not None for one in messages),
                rejected=len(broken),
            ),
            recipe=asdict(self._order.recipe) if self._order.recipe else {},
            scores=scores.to_json(),
            objections=scoring.objections(scores),
            files={},
        )
        return write(out, manifest, contents)


def _newest(messages: list[Kept], most: int) -> list[Kept]:
    """All that came from the file, and the newest of what the service kept; at most ``most`` of each."""
    old = sorted((one for one in messages if one.old), key=lambda one: one.at or 0.0)
    return [*old[-most:], *[one for one in messages if not one.old][:most]]


def _turned(messages: list[Kept], before: Arm | None, after: Vectors) -> NDArray[np.float32] | None:
    """From the space of before to that of now, as the old messages that are learnt from went."""
    rows = [row for row, one in enumerate(messages) if one.old and not one.held_out]
    return rotation(before.vectors[rows], after[rows]) if before and len(rows) >= _LEAST_TURN else None


def _arm(model: TopicModel, messages: list[Kept], raw: Vectors, centring: Centring) -> Arm:
    vectors = centring.apply(raw, [language_of(one.text) for one in messages])
    return Arm(model, vectors, model.assign(vectors))


def _embedded(embedder: Embedder, texts: list[str], told: Callable[[float], None]) -> bytes:
    parts = []
    for start in range(0, len(texts), _EMBEDDED):
        parts.append(embedder.embed(texts[start : start + _EMBEDDED]).astype(np.float16))
        told(min(start + _EMBEDDED, len(texts)) / len(texts))
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate(parts), allow_pickle=False)
    return buffer.getvalue()


def _vectors(body: bytes) -> Vectors:
    vectors: Vectors = np.load(io.BytesIO(body), allow_pickle=False).astype(np.float32)
    return vectors


def _named(embedder: str, content: bytes) -> adapters.Adapter:
    return adapters.parsed(adapters.name_in(embedder), content)


def _fingerprint(messages: list[Kept]) -> str:
    return sha256(kept.packed(replace(one, customer="") for one in messages)).hexdigest()
