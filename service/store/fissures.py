"""Which topics seem to have split in two, as the last discovery found: for people to say, nothing follows by itself."""

from collections.abc import Mapping
from datetime import datetime

import orjson

from models.topic import TopicId
from models.topics import TopicModel
from service.store import keys
from service.store.redis import Store, store_errors


class Fissures:
    """Written by discovery, read by the API."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, found: Mapping[TopicId, float], at: datetime) -> None:
        """What a look at ``at`` found, in the place of the one before."""
        with store_errors():
            await self._store.client.set(keys.FISSURES, orjson.dumps({"at": at, "found": dict(found)}))

    async def looked(self) -> datetime | None:
        """When was looked last; None before the first time."""
        with store_errors():
            body = await self._store.client.get(keys.FISSURES)
        return datetime.fromisoformat(orjson.loads(body)["at"]) if body else None

    async def of(self, model: TopicModel) -> dict[TopicId, float]:
        """Topics of the model that seem to be two, the widest apart first; those that were split since left out."""
        with store_errors():
            body = await self._store.client.get(keys.FISSURES)
        if body is None:
            return {}
        held = orjson.loads(body)
        at = datetime.fromisoformat(held["at"])
        split = {topic.origin for topic in model.topics if topic.born >= at}
        living = {topic.id for topic in model.assignable}
        found = {TopicId(name): far for name, far in held["found"].items() if name in living and name not in split}
        return dict(sorted(found.items(), key=lambda one: -one[1]))
