"""The topic model in the store: one blob with a version, read by workers; written by the judge, promotions and people."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from models.bundle import topics_bytes, topics_from
from models.lineage import changes
from models.topics import TopicModel
from service.errors import Conflict, NotFound
from service.store import keys
from service.store.lineage import pack_event
from service.store.redis import Store, store_errors, text_of

_AHEAD = timedelta(seconds=2)
"""How far ahead a promotion begins: longer than clocks of one cluster differ."""

_TRIES = 20
_MEANWHILE = "the topics were changed meanwhile; nothing was written, do it again"

Scales = Mapping[str, float]
"""How many times as many of the same messages a topic counts as in the model before, where that has changed."""

_FIELDS = ("version", "blob", "since", "before", "bundle", "bundle_before", "scales", "given")


@dataclass(frozen=True, slots=True)
class VersionedModel:
    """A topic model and its version; version 0 is no model yet.

    From ``since`` on (milliseconds of the store's clock) entries of the inbox are read by ``model``, older ones by
    ``before``. ``bundle`` and ``bundle_before`` name what they came from, empty where the service found them itself.
    """

    version: int
    model: TopicModel | None
    since: int = 0
    before: TopicModel | None = None
    bundle: str = ""
    bundle_before: str = ""
    scales: Scales = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    """The ids that the bundle's new topics were given."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The ids of all topics, those of before among them."""
        models = [model for model in (self.before, self.model) if model is not None]
        return tuple(dict.fromkeys(topic.id for model in models for topic in model.topics))

    def older(self, entry_id: str) -> bool:
        """Whether an entry of the inbox is still read by ``before``, whoever reads it and whenever."""
        return int(entry_id.split("-", 1)[0]) < self.since


@dataclass(frozen=True, slots=True)
class Promoted:
    """One line of the log of promotions."""

    at: datetime
    bundle: str
    before: str
    reason: str


class OutOfStep(Conflict):
    """Another changed the topics meanwhile; nothing was written."""

    code = "out_of_step"
    title = "The topics were changed by another"


class ModelStore:
    """Load, save, promote, and fresh topic ids."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held = VersionedModel(0, None)

    async def current(self) -> VersionedModel:
        """The newest model; the blob is fetched only where the version moved on."""
        with store_errors():
            version = int(await self._store.client.hget(keys.MODEL, "version") or 0)
            if version != self._held.version:
                self._held = _versioned(await self._store.client.hmget(keys.MODEL, _FIELDS))
        return self._held

    async def first_bucket(self) -> int | None:
        """The earliest bucket that the first topics were found in; None before there are any."""
        with store_errors():
            first = await self._store.client.hget(keys.MODEL, "first")
        return int(first) if first else None

    async def save(
        self, model: TopicModel, first_bucket: int, *, after: int, at: datetime, by: str | None = None
    ) -> VersionedModel:
        """Put a model in the place of the one of version ``after``: version, blob and what became of each id at once.

        ``first_bucket`` is the earliest bucket it was made from; the first model's is kept. Raises `OutOfStep`
        where the present one is of another version, and `LineageError` where an id is gone from the new one.
        """
        return await self._swap(model, first_bucket, after, at, by)

    async def change(
        self, deed: Callable[[TopicModel], TopicModel], *, at: datetime, by: str | None = None
    ) -> VersionedModel:
        """Do what people ask for to the present model, whichever that is by then.

        Raises `NotFound` where there are no topics yet, `OutOfStep` where others write all the time, and what
        ``deed`` raises.
        """
        for _ in range(_TRIES):
            known = await self.current()
            if known.model is None:
                raise NotFound("there are no topics yet: the first are made when enough messages have come in")
            with suppress(OutOfStep):
                return await self._swap(deed(known.model), 0, known.version, at, by)
        raise OutOfStep("others change the topics at the same time; send the request again")

    async def redraw(self, change: Callable[[TopicModel], TopicModel | None]) -> bool:
        """Change what the present model, and the one before it, show of topics whose ids stay; answers whether anything
        changed. ``change`` answers None where there is nothing to do. Raises `OutOfStep` where others write all the time.
        """
        for _ in range(_TRIES):
            known = await self.current()
            model = change(known.model) if known.model else None
            before = change(known.before) if known.before else None
            if known.model is None or (model is None and before is None):
                return False
            args = [known.version, topics_bytes(model or known.model), topics_bytes(before) if before else b""]
            with store_errors():
                if int(await self._store.scripts["redraw"]([keys.MODEL], args)) >= 0:
                    return True
        raise OutOfStep(_MEANWHILE)

    async def promote(
        self,
        model: TopicModel,
        first_bucket: int,
        *,
        after: int,
        bundle: str,
        scales: Scales,
        given: Mapping[str, str],
        now: datetime,
        reason: str,
    ) -> VersionedModel:
        """Put a bundle's model in the place of the present one, which is kept beside it. Raises `OutOfStep`."""
        ahead = int(_AHEAD.total_seconds() * 1_000)
        told = orjson.dumps(scales), orjson.dumps(given), now.isoformat(), reason
        return await self._swap(model, first_bucket, after, now, bundle, bundle, ahead, *told)

    async def promotions(self, count: int = 20) -> list[Promoted]:
        """The last promotions, newest first."""
        with store_errors():
            entries = await self._store.client.xrevrange(keys.PROMOTIONS, count=count)
        return [
            Promoted(datetime.fromisoformat(f[b"at"].decode()), *(f[name].decode() for name in (b"bundle", b"before", b"reason")))
            for _, f in entries
        ]  # fmt: skip

    async def fresh_ids(self, count: int) -> list[str]:
        """Topic ids never given before: the counter only goes up, and ids that came in from elsewhere are passed by."""
        model = (await self.current()).model
        taken = {topic.id for topic in model.topics} if model else set()
        found: list[str] = []
        while len(found) < count:
            with store_errors():
                last = int(await self._store.client.incrby(keys.TOPIC_IDS, count - len(found)))
            numbers = range(last - count + len(found) + 1, last + 1)
            found += [name for name in (f"t{number}" for number in numbers) if name not in taken]
        return found

    async def ids_for(self, bundle: str, names: Sequence[str]) -> dict[str, str]:
        """Ids for a bundle's new topics, given once: the same ``bundle`` (its checksum) is answered the same again."""
        with store_errors():
            known = await self._store.client.hget(keys.GIVEN, bundle)
            if known is None:
                ids = dict(zip(names, await self.fresh_ids(len(names)), strict=True))
                await self._store.client.hsetnx(keys.GIVEN, bundle, orjson.dumps(ids))
                known = await self._store.client.hget(keys.GIVEN, bundle)
        given: dict[str, str] = orjson.loads(known)
        return given

    async def _swap(
        self, model: TopicModel, first_bucket: int, after: int, at: datetime, by: str | None, *promotion: object
    ) -> VersionedModel:
        known = await self.current()
        if known.version != after:
            raise OutOfStep(_MEANWHILE)
        events = [pack_event(event) for event in changes(known.model, model, at=at, by=by)]
        args = [after, topics_bytes(model), first_bucket, len(events), *events, *promotion]
        with store_errors():
            version = await self._store.scripts["model"]([keys.MODEL, keys.PROMOTIONS, keys.LINEAGE], args)
        if int(version) < 0:
            raise OutOfStep(_MEANWHILE)
        return await self.current()


def _versioned(values: list[bytes | None]) -> VersionedModel:
    version, blob, since, before, bundle, bundle_before, scales, given = values
    if not blob:
        return VersionedModel(0, None)
    return VersionedModel(
        version=int(version or 0),
        model=topics_from(blob),
        since=int(since or 0),
        before=topics_from(before) if before else None,
        bundle=text_of(bundle or b""),
        bundle_before=text_of(bundle_before or b""),
        scales=orjson.loads(scales or b"{}"),
        given=orjson.loads(given or b"{}"),
    )
