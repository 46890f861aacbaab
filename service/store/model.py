"""The topic model in the store: one blob with a version, read by workers; written by the judge, and by promotions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from models.bundle import topics_bytes, topics_from
from models.topics import TopicModel
from service.errors import Conflict
from service.store import keys
from service.store.redis import Store, store_errors, text_of

_AHEAD = timedelta(seconds=2)
"""How far ahead a promotion begins: longer than clocks of one cluster differ."""

Origins = Mapping[str, Mapping[str, float]]
"""By topic, what shares of which former topics (`-` is none) its messages were counted under."""

_FIELDS = ("version", "blob", "since", "before", "bundle", "bundle_before", "origins", "given")


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
    origins: Origins = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    """The ids that the bundle's new topics were given."""

    def at(self, entry_id: str) -> TopicModel | None:
        """The model that an entry of the inbox is read by, whoever reads it and whenever."""
        return self.model if int(entry_id.split("-", 1)[0]) >= self.since else self.before


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

    async def save(self, model: TopicModel, first_bucket: int, after: int | None = None) -> VersionedModel:
        """Put a model in the place of the present one, version and blob at once.

        ``first_bucket`` is the earliest bucket it was made from; the first model's is kept. Raises `OutOfStep`
        where the present one is not of the version ``after``.
        """
        await self._swap("" if after is None else after, topics_bytes(model), first_bucket)
        return await self.current()

    async def promote(
        self,
        model: TopicModel,
        first_bucket: int,
        *,
        after: int,
        bundle: str,
        origins: Origins,
        given: Mapping[str, str],
        now: datetime,
        reason: str,
    ) -> VersionedModel:
        """Put a bundle's model in the place of the present one, which is kept beside it. Raises `OutOfStep`."""
        ahead = int(_AHEAD.total_seconds() * 1_000)
        told = orjson.dumps(origins), orjson.dumps(given), now.isoformat(), reason
        await self._swap(after, topics_bytes(model), first_bucket, bundle, ahead, *told)
        return await self.current()

    async def promotions(self, count: int = 20) -> list[Promoted]:
        """The last promotions, newest first."""
        with store_errors():
            entries = await self._store.client.xrevrange(keys.PROMOTIONS, count=count)
        return [
            Promoted(datetime.fromisoformat(f[b"at"].decode()), *(f[name].decode() for name in (b"bundle", b"before", b"reason")))
            for _, f in entries
        ]  # fmt: skip

    async def fresh_ids(self, count: int) -> list[str]:
        """Topic ids never given before: the counter only goes up, so none is ever used again."""
        with store_errors():
            last = int(await self._store.client.incrby(keys.TOPIC_IDS, count))
        return [f"t{number}" for number in range(last - count + 1, last + 1)]

    async def _swap(self, *args: object) -> None:
        with store_errors():
            version = int(await self._store.scripts["model"]([keys.MODEL, keys.PROMOTIONS], args))
        if version < 0:
            raise OutOfStep("the topics were changed meanwhile; nothing was written, do it again")


def _versioned(values: list[bytes | None]) -> VersionedModel:
    version, blob, since, before, bundle, bundle_before, origins, given = values
    if not blob:
        return VersionedModel(0, None)
    return VersionedModel(
        version=int(version or 0),
        model=topics_from(blob),
        since=int(since or 0),
        before=topics_from(before) if before else None,
        bundle=text_of(bundle or b""),
        bundle_before=text_of(bundle_before or b""),
        origins=orjson.loads(origins or b"{}"),
        given=orjson.loads(given or b"{}"),
    )
