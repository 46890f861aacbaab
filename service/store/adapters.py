"""What promoted bundles changed of the encoder, in the store: so that workers anywhere need no file."""

from collections.abc import Collection

from models.encoder.adapter import Adapter, name_in, parsed
from service.store import keys
from service.store.redis import Store, bytes_of, store_errors, text_of


class Adapters:
    """Put and get, by the name of the embedder that an adapter makes of the packaged encoder."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, embedder: str, content: bytes) -> None:
        """Keep the bytes of an adapter's file; a few megabytes at most."""
        with store_errors():
            await self._store.client.hset(keys.ADAPTERS, embedder, content)

    async def keep(self, embedders: Collection[str]) -> None:
        """Drop all others."""
        with store_errors():
            known = [text_of(name) for name in await self._store.client.hkeys(keys.ADAPTERS)]
            gone = [name for name in known if name not in embedders]
            if gone:
                await self._store.client.hdel(keys.ADAPTERS, *gone)

    async def get(self, embedder: str) -> Adapter | None:
        """The adapter of an embedder; None where no bundle brought it."""
        content = await self.content(embedder)
        return parsed(name_in(embedder), content) if content else None

    async def content(self, embedder: str) -> bytes | None:
        """The same as the bytes of its file."""
        with store_errors():
            content = await self._store.client.hget(keys.ADAPTERS, embedder)
        return bytes_of(content) if content else None
