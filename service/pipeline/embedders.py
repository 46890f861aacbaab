"""The embedder of each model: the service's own, and those that promoted bundles made of the packaged encoder."""

import asyncio
from collections.abc import Callable

from models.embed import Embedder
from models.encoder.adapter import Adapter
from models.topics import TopicModel
from service.errors import EncoderAway
from service.logs import log
from service.store.adapters import Adapters

_HELD = 2
"""Embedders held beside the service's own: that of the present model, and that of the one before."""


class Embedders:
    """Builds what a model needs at its first use and holds it."""

    def __init__(self, own: Embedder, adapters: Adapters, build: Callable[[Adapter], Embedder]) -> None:
        self.own = own
        self._adapters = adapters
        self._build = build
        self._held: dict[str, Embedder] = {}
        self._lock = asyncio.Lock()

    async def of(self, model: TopicModel | None) -> Embedder:
        """What the vectors of ``model`` are made with. Raises `EncoderAway` where nothing makes them here."""
        if model is None or model.embedder == self.own.name:
            return self.own
        async with self._lock:
            if model.embedder not in self._held:
                self._held = dict([*self._held.items(), (model.embedder, await self._made(model.embedder))][-_HELD:])
            return self._held[model.embedder]

    async def _made(self, name: str) -> Embedder:
        adapter = await self._adapters.get(name)
        if adapter is None:
            raise EncoderAway(f"the topics were found with {name}, which no promoted bundle brought; promote it again")
        log.info("making the encoder of a bundle", embedder=name)
        made = await asyncio.to_thread(self._build, adapter)
        if made.name != name:
            raise EncoderAway(f"the topics were found with {name}, and this version makes {made.name}; retrain with it")
        return made
