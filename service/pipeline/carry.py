"""After a promotion: kept messages get the vectors of the new embedder, so that what was known of the past stays known."""

import asyncio
from collections.abc import Callable

from models.embed import Embedder
from models.gist import gist
from service.store.inbox import Inbox
from service.store.model import VersionedModel
from service.store.pools import Pools

_AT_ONCE = 256  # messages embedded and carried in one step
_POLL = 0.2  # seconds

Told = Callable[[int], None]
"""Called with how many more messages were carried."""


async def drained(inbox: Inbox, current: VersionedModel) -> None:
    """Return once no entry from before the promotion waits to be counted."""
    while (oldest := await inbox.oldest()) is not None and current.older(oldest):  # noqa: ASYNC110 — others count them
        await asyncio.sleep(_POLL)


async def carry(pools: Pools, embedder: Embedder, current: VersionedModel, told: Told = lambda count: None) -> int:
    """Carry every kept message of another space over; answers how many. Killed anywhere, the same call goes on."""
    carried = 0
    for place in pools.places(current.topics):
        while held := await pools.strange(place, embedder.name, _AT_ONCE):
            vectors = await asyncio.to_thread(embedder.embed, [gist(one.message.text) for one in held])
            carried += await pools.carry(place, held, vectors, embedder.name)
            told(len(held))
    return carried
