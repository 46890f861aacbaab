"""From messages to a bundle: read and redact, embed, tune, embed again, regroup, score, write. Each step is resumable."""

import json
import secrets
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256

from rich.console import Console

from models.bundle import (
    ADAPTER,
    FORMAT,
    SCALES,
    TOPICS,
    Bundle,
    Data,
    Encoder,
    Manifest,
    NotWritten,
    load,
    read_manifest,
    topics_bytes,
    topics_from,
    write,
)
from models.embed import Embedder, Vectors
from models.encoder import adapter as adapters
from models.encoder.prepare import INTENT, embedder_name, prepare
from models.leaning import leanings
from models.sentence import load_embedder
from models.tables import Broken
from models.topics import TopicModel
from training import kept, memory, scoring, stretch, tuning, vectors
from training.kept import Kept
from training.lesson import lesson_of
from training.lowrank import UpperLayers
from training.order import Order
from training.regroup import Ground, Regrouping, regroup
from training.scoring import Arm, Scores
from training.space import Space, arm_of
from training.spread import Source, Spread, spread_over
from training.steps import Steps, Told
from training.stretch import Settled
from training.tuning import Tuned

STEPS = ("messages", "vectors before", "adapter", "encoder", "vectors after", "stretch", "topics", "scores")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a retraining made, for the report; ``exams`` by what was examined."""

    manifest: Manifest
    scores: Scores
    before: TopicModel | None
    after: TopicModel
    messages: list[Kept]
    placed_before: scoring.Placed
    placed_after: scoring.Placed
    broken: list[Broken]
    exams: dict[str, Tuned]


class Retraining:
    """One run; ``now`` is the birth of new topics. The live bundle is only read."""

    def __init__(self, order: Order, console: Console, now: datetime) -> None:
        self._order = order
        self._now = now
        self._live: Bundle | None = load(order.live) if order.live else None
        begun = Steps.begun(order.out.with_name(f".work-{order.out.name}"), order.plan())
        if order.out.exists() and not begun:
            raise NotWritten(f"{order.out} is there already", fix="Choose another --out, or delete it first")
        self._steps = Steps(order.out.with_name(f".work-{order.out.name}"), order.plan(), STEPS, console)

    def run(self) -> Outcome:
        """Raises `TableError`, `BundleError`, `ScaleError`, `MemoryShort` or ValueError with what to do."""
        order = self._order
        with spread_over(order.workers, order.cluster) if order.workers else nullcontext() as spread:
            return self._run(spread)

    def _run(self, spread: Spread | None) -> Outcome:
        messages, broken = self._messages()
        memory.check(len(messages), tuned=self._order.recipe is not None)
        base = self._base()
        texts = [one.gist for one in messages]
        raw = self._vectors("vectors before", base, texts, spread)
        live = self._live.topics if self._live else None
        before = arm_of(live, messages, raw, live.centring) if live else None
        content, tuned_as = self._adapter(base, messages, before, spread)
        source, after_raw = base, raw
        if content != (self._live.adapter if self._live else None):
            assert content is not None
            tuned = adapters.parsed(self._order.out.name, content)
            self._steps.run("encoder", lambda told: self._prepared(tuned, told))
            source = Source(self._order.cache, tuned)
            after_raw = self._vectors("vectors after", source, texts, spread)
        embedder = load_embedder(source.folder())
        space = Space.of(messages, before, raw, after_raw, embedder.name)
        stretched, stretched_as = self._stretch(messages, before, after_raw, space)
        model = self._topics(messages, before, after_raw, embedder, space.stretched(stretched, messages, after_raw))
        after = arm_of(model, messages, after_raw, model.centring)
        scores = self._scores(messages, before, after)
        said = {"tuning": tuned_as, "stretch": stretched_as}
        exams = {name: exam for name, exam in said.items() if exam is not None}
        manifest = self._write(messages, broken, content, exams, before, after, scores)
        return Outcome(
            manifest, scores, live, model, messages,
            before.placed if before else [None] * len(messages), after.placed, broken, exams,
        )  # fmt: skip

    def end(self) -> None:
        """Forget the steps: all is written."""
        self._steps.end()

    def _messages(self) -> tuple[list[Kept], list[Broken]]:
        def make(_: Told) -> bytes:
            broken: list[Broken] = []
            key = secrets.token_bytes(16)
            most = self._order.most
            old = sorted(kept.read_live(self._order.live) if self._order.live else (), key=lambda one: one.at or 0.0)
            found = old[-most:]
            if self._order.file:
                rows = kept.read_file(self._order.file, self._order.columns, broken, key)
                found += kept.sample(rows, most, seed=0)
            told = json.dumps([asdict(one) for one in broken]).encode()
            return told + b"\n" + kept.packed(found)

        told, _, body = self._steps.run("messages", make).partition(b"\n")
        messages = kept.unpacked(body)
        refused = [Broken(**one) for one in json.loads(told)]
        if not messages:
            why = f" ({len(refused)} rows were rejected, row {refused[0].row}: {refused[0].reason})" if refused else ""
            raise ValueError(f"there is no message to learn from{why}: name a file, or a live bundle with messages")
        return messages, refused

    def _base(self) -> Source:
        """The encoder that is live now."""
        content = self._live.adapter if self._live else None
        if content is None:
            return Source(self._order.cache, None)
        assert self._live is not None
        return Source(self._order.cache, _named(self._live.manifest.encoder.name, content))

    def _vectors(self, step: str, source: Source, texts: list[str], spread: Spread | None) -> Vectors:
        """Of all texts, in half precision as they are kept. The embedder's memory is free again afterwards."""

        def make(told: Told) -> bytes:
            parts = spread.embed(source, texts) if spread else vectors.embedded(load_embedder(source.folder()), texts)
            return vectors.packed(parts, len(texts), told)

        return vectors.unpacked(self._steps.run(step, make))

    def _adapter(
        self, base: Source, messages: list[Kept], before: Arm | None, spread: Spread | None
    ) -> tuple[bytes | None, Tuned | None]:
        """The adapter of the bundle, that of before where nothing is tuned; and what the exam said of it."""
        recipe, was = self._order.recipe, self._live.adapter if self._live else None
        if recipe is None:
            return was, None

        def make(told: Told) -> bytes:
            encoder = UpperLayers(base.folder(), layers=recipe.layers, rank=recipe.rank, seed=recipe.seed)
            crew = spread.crew(base, encoder, recipe) if spread else None
            lesson = lesson_of(messages, before)
            tuned = tuning.tune(encoder, lesson, recipe, lambda step, _: told(step / (recipe.steps + 1)), crew)
            if tuned is None or not tuned.share:
                return json.dumps(tuned and asdict(tuned)).encode() + b"\n"
            first = _named(self._live.manifest.encoder.name, was) if self._live and was else adapters.load(INTENT)
            return json.dumps(asdict(tuned)).encode() + b"\n" + adapters.stacked(first, encoder.parts())

        told, _, content = self._steps.run("adapter", make).partition(b"\n")
        said = json.loads(told)
        return content or was, said and Tuned.from_json(said)

    def _prepared(self, tuned: adapters.Adapter, told: Told) -> bytes:
        return prepare(self._order.cache, lambda _, share: told(share), adapter=tuned).name.encode()

    def _stretch(
        self, messages: list[Kept], before: Arm | None, raw: Vectors, space: Space
    ) -> tuple[Settled | None, Tuned | None]:
        """What the labels make of the space, and what the exam said of it."""

        def make(_: Told) -> bytes:
            return stretch.packed(*stretch.settled(messages, before, space.apply(messages, raw), space.turned))

        lost = before is not None and space.turned is None and before.model.centring is not space.centring
        return stretch.unpacked(self._steps.run("stretch", make)) if self._order.stretch and not lost else (None, None)

    def _topics(
        self, messages: list[Kept], before: Arm | None, raw: Vectors, embedder: Embedder, space: Space
    ) -> TopicModel:
        live = self._live.topics if self._live else None
        train = [row for row, one in enumerate(messages) if not one.held_out]

        def make(_: Told) -> bytes:
            ground = Ground(
                messages=[messages[row] for row in train],
                vectors=space.apply(messages, raw)[train],
                centring=space.centring,
                former=[before.placed[row] if before and messages[row].old else None for row in train],
                embedder=embedder.name,
                embed=embedder.embed,
                leanings=leanings(embedder.name, [messages[row].text for row in train], raw[train]),
                turned=space.turned,
                settled=space.settled,
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
        exams: dict[str, Tuned],
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
            contents[SCALES] = json.dumps(scoring.scales(messages, before.placed, after)).encode()
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
            recipe={
                "tuning": self._order.recipe and asdict(self._order.recipe),
                "kept": {name: exam.share for name, exam in exams.items()},
            },
            scores=scores.to_json(),
            objections=scoring.objections(scores),
            files={},
        )
        return write(out, manifest, contents)


def _named(embedder: str, content: bytes) -> adapters.Adapter:
    return adapters.parsed(adapters.name_in(embedder), content)


def _fingerprint(messages: list[Kept]) -> str:
    return sha256(kept.packed(replace(one, customer="") for one in messages)).hexdigest()
