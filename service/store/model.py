"""The topic model in the store: one blob with a version, read by workers, written by the judge."""

import io
from dataclasses import dataclass

import numpy as np

from models.topics import TopicModel
from service.store import keys
from service.store.redis import Store, store_errors


@dataclass(frozen=True, slots=True)
class VersionedModel:
    """A topic model and its version; version 0 is no model yet."""

    version: int
    model: TopicModel | None


class ModelStore:
    """Load, save, and fresh topic ids."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held = VersionedModel(0, None)

    async def current(self) -> VersionedModel:
        """The newest model; the blob is fetched only where the version moved on."""
        with store_errors():
            version = int(await self._store.client.hget(keys.MODEL, "version") or 0)
            if version != self._held.version:
                stored, blob = await self._store.client.hmget(keys.MODEL, ["version", "blob"])
                self._held = VersionedModel(int(stored), _load(blob)) if blob else VersionedModel(0, None)
        return self._held

    async def first_bucket(self) -> int | None:
        """The earliest bucket that the first topics were found in; None before there are any."""
        with store_errors():
            first = await self._store.client.hget(keys.MODEL, "first")
        return int(first) if first else None

    async def save(self, model: TopicModel, first_bucket: int) -> VersionedModel:
        """Put a model in the place of the present one, version and blob at once.

        ``first_bucket`` is the earliest bucket it was made from; the first model's is kept.
        """
        blob = _dump(model)
        with store_errors():
            async with self._store.client.pipeline(transaction=True) as pipe:
                pipe.hset(keys.MODEL, "blob", blob)
                pipe.hsetnx(keys.MODEL, "first", first_bucket)
                pipe.hincrby(keys.MODEL, "version", 1)
                *_, version = await pipe.execute()
        self._held = VersionedModel(int(version), model)
        return self._held

    async def fresh_ids(self, count: int) -> list[str]:
        """Topic ids never given before: the counter only goes up, so none is ever used again."""
        with store_errors():
            last = int(await self._store.client.incrby(keys.TOPIC_IDS, count))
        return [f"t{number}" for number in range(last - count + 1, last + 1)]


def _dump(model: TopicModel) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **model.to_arrays())  # type: ignore[arg-type]  # names are arrays, not flags
    return buffer.getvalue()


def _load(blob: bytes) -> TopicModel:
    with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
        return TopicModel.from_arrays(dict(arrays.items()))
