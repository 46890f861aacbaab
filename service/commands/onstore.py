"""What a command needs to work on the store directly: the one that the settings name, or the embedded one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from service.settings import load_settings
from service.store.embedded import EmbeddedStore, running_url
from service.store.redis import Store
from service.wiring import Rooms, open_rooms


def on_store(act: Callable[[Store], Awaitable[int]]) -> int:
    """Run ``act`` on the store; an embedded one that runs already is reached, one that doesn't is started."""
    return on_rooms(lambda rooms: act(rooms.store))


def on_rooms(act: Callable[[Rooms], Awaitable[int]]) -> int:
    """As `on_store`, with the rooms of the store."""
    settings = load_settings()

    async def run(url: str) -> int:
        rooms = open_rooms(settings, url)
        try:
            return await act(rooms)
        finally:
            await rooms.store.close()

    with ExitStack() as stack:
        url = settings.store_url or running_url(settings.data_dir)
        url = url or stack.enter_context(EmbeddedStore(settings.data_dir)).url
        return asyncio.run(run(url))
