"""Promotion: a checked bundle, or what was live before it, becomes what the service reads by, from one moment on."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from models.buckets import bucket_of
from models.bundle import Bundle, MismatchedBundle
from models.embed import Embedder
from models.encoder.adapter import Adapter, name_in, parsed
from models.encoder.prepare import embedder_name
from models.takeover import named, take_over
from models.topics import TopicModel
from service.errors import Conflict
from service.store.adapters import Adapters
from service.store.model import ModelStore, OutOfStep, Scales, VersionedModel

NEW = "new-"
"""What the ids of a bundle's new topics begin with, until the store gives them theirs."""

_TRIES = 5  # against others who change the topics at the same time

Make = Callable[[Adapter | None], Embedder]
"""The embedder that an adapter makes of the packaged encoder; without one, the service's own."""


class Promotion:
    """Promote and roll back. Killed anywhere, either nothing has changed or all has; the same call again goes on."""

    def __init__(self, models: ModelStore, adapters: Adapters, make: Make, base: str) -> None:
        """``base`` is the embedder that the store was begun with."""
        self._models = models
        self._adapters = adapters
        self._make = make
        self._base = base

    async def promote(self, bundle: Bundle, now: datetime, force: str | None = None) -> VersionedModel:
        """Put a bundle live. Raises `Conflict` where there are objections and no reason to ``force`` it is given,
        `MismatchedBundle` where it was made for another encoder or store.
        """
        manifest = bundle.manifest
        if manifest.objections and not force:
            told = "; ".join(manifest.objections)
            raise Conflict(f"{manifest.name} is refused: {told}. Retrain, or promote it with --force and a reason")
        adapter = self._adapter_of(bundle)
        embedder = await asyncio.to_thread(self._make, adapter)
        for _ in range(_TRIES):
            known = await self._models.current()
            if known.bundle == manifest.full_name:
                return known
            _check_ids(bundle, known.model)
            new = [topic.id for topic in bundle.topics.topics if topic.id.startswith(NEW)]
            ids = await self._models.ids_for(manifest.checksum, new)
            following = named(bundle.topics, ids)
            scales = {ids.get(name, name): times for name, times in bundle.scales.items()}
            if known.model is not None:
                following = take_over(known.model, following, embedder.embed, back=ids.values())
            if bundle.adapter is not None:
                await self._adapters.put(embedder.name, bundle.adapter)
            try:
                return await self._put(known, following, now, manifest.full_name, scales, ids, force or "")
            except OutOfStep:
                continue
        raise OutOfStep("the topics are changed again and again by others; try later")

    async def roll_back(self, now: datetime, reason: str = "rolled back") -> VersionedModel:
        """Put back what was live before. Topics that the bundle brought are retired, their ids stay."""
        known = await self._models.current()
        if known.before is None or known.model is None:
            raise Conflict("nothing was promoted, or nothing was there before it: there is nothing to go back to")
        embedder = await asyncio.to_thread(self._make, await self._adapters.get(known.before.embedder))
        if embedder.name != known.before.embedder:
            raise Conflict(f"what was live before needs {known.before.embedder}, which cannot be made here any more")
        following = take_over(
            known.model, known.before, embedder.embed, back=_ids(known.before), gone=known.given.values()
        )
        scales = {name: 1 / times for name, times in known.scales.items()}
        return await self._put(known, following, now, known.bundle_before, scales, {}, reason)

    async def _put(
        self,
        known: VersionedModel,
        following: TopicModel,
        now: datetime,
        bundle: str,
        scales: Scales,
        given: Mapping[str, str],
        reason: str,
    ) -> VersionedModel:
        """Promote, and keep the adapters of what is live and of what was. Raises `OutOfStep`."""
        live = await self._models.promote(
            following, bucket_of(now), after=known.version, bundle=bundle, scales=scales, given=given,
            now=now, reason=reason,
        )  # fmt: skip
        await self._adapters.keep({model.embedder for model in (live.model, live.before) if model is not None})
        return live

    def _adapter_of(self, bundle: Bundle) -> Adapter | None:
        manifest = bundle.manifest
        adapter = None if bundle.adapter is None else parsed(name_in(manifest.encoder.name), bundle.adapter)
        makes = self._base if adapter is None else embedder_name(adapter)
        if makes != manifest.encoder.name or bundle.topics.embedder != makes:
            raise MismatchedBundle(
                f"{manifest.name} was made for {manifest.encoder.name}, and here it would be {makes}",
                fix="Retrain with this version and encoder",
            )
        return adapter


def _check_ids(bundle: Bundle, live: TopicModel | None) -> None:
    strange = {topic.id for topic in bundle.topics.topics if not topic.id.startswith(NEW)} - _ids(live)
    if strange:
        raise MismatchedBundle(
            f"{bundle.manifest.name} speaks of {min(strange)}, a topic that this store never had",
            fix="Promote it where it was taken from, or retrain on what `tocsin bundles take` writes here",
        )


def _ids(model: TopicModel | None) -> set[str]:
    return {topic.id for topic in model.topics} if model else set()
