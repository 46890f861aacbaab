"""What promoted bundles changed of the encoder, in the store: so that workers anywhere need no file."""

from models.encoder.adapter import Adapter, parsed
from service.store import keys
from service.store.redis import Store, bytes_of, store_errors, text_of


class Adapters:
    """Put and get, by the name of the embedder that an adapter makes of the packaged encoder."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, embedder: str, adapter: Adapter, content: bytes) -> None:
        """Keep one; a few megabytes at most."""
        with store_errors():
            async with self._store.client.pipeline(transaction=True) as pipe:
                pipe.hset(keys.ADAPTERS, embedder, content)
                pipe.hset(keys.ADAPTERS, f"{embedder} name", adapter.name)
                await pipe.execute()

    async def get(self, embedder: str) -> Adapter | None:
        """The adapter of an embedder; None where no bundle brought it."""
        with store_errors():
            content, name = await self._store.client.hmget(keys.ADAPTERS, [embedder, f"{embedder} name"])
        return parsed(text_of(name), bytes_of(content)) if content else None

    async def content(self, embedder: str) -> bytes | None:
        """The same as the bytes of its file."""
        with store_errors():
            content = await self._store.client.hget(keys.ADAPTERS, embedder)
        return bytes_of(content) if content else None
