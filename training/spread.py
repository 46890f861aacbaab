"""Embedding and tuning over several machines, by Ray (the extra ``scale``; Moritz et al., "Ray", 2018).

Every worker makes the encoder ready in its own cache. Texts are embedded shard by shard; a batch of tuning is dealt
out, and what every worker's gradients add up to is what one machine would have got. A worker that is lost is started
again and its work done again, `_AGAIN` times.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.embed import Vectors
from models.encoder.adapter import Adapter
from models.encoder.prepare import prepare
from models.sentence import load_embedder
from training.adapter import Recipe
from training.lowrank import UpperLayers

SHARD = 512  # texts: some seconds of a core, little to do again where a worker is lost
_AGAIN = 3
_MISSING = "Ray is not installed here: pip install 'tocsin[scale]', on every machine"

State = Sequence[NDArray[np.float32]]


class ScaleError(Exception):
    """Work cannot be spread; says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """Of which encoder: the packaged one with ``adapter`` merged in, ready under ``cache`` of each machine."""

    cache: Path
    adapter: Adapter | None

    def folder(self) -> Path:
        return prepare(self.cache, adapter=self.adapter) if self.adapter else prepare(self.cache)


class Spread:
    """Workers of one Ray cluster, one core each."""

    def __init__(self, ray: Any, workers: int) -> None:
        self._ray = ray
        self._workers = workers

    def embed(self, source: Source, texts: Sequence[str]) -> Iterator[tuple[int, Vectors]]:
        """Where a shard of ``texts`` begins and its vectors, as they are done. Raises `ScaleError`."""
        from ray.util import ActorPool

        pool = ActorPool(self._actors(_Embedding, source))
        starts = range(0, len(texts), SHARD)
        with self._told():
            yield from pool.map_unordered(
                lambda worker, start: worker.embed.remote(start, texts[start : start + SHARD]), list(starts)
            )

    def crew(self, source: Source, encoder: UpperLayers, recipe: Recipe) -> "Crew":
        """Workers that compute the batches of ``encoder``, which was made of ``source`` by ``recipe``."""
        return Crew(self, encoder, self._actors(_Learning, source, recipe))

    def share(self, state: State) -> Any:
        """What every worker is to have, sent to each machine once."""
        return self._ray.put(list(state))

    def gathered(self, answers: Sequence[Any]) -> list[Any]:
        """All answers, in order. Raises `ScaleError`."""
        with self._told():
            return list(self._ray.get(list(answers)))

    def _actors(self, kind: type, *given: Any) -> list[Any]:
        made = self._ray.remote(num_cpus=1, max_restarts=_AGAIN, max_task_retries=_AGAIN)(kind)
        return [made.remote(*given) for _ in range(self._workers)]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[-1]
            raise ScaleError(f"the workers gave up: {reason}. Run it again: it goes on here") from error


@contextmanager
def spread_over(workers: int, address: str | None = None) -> Iterator[Spread]:
    """Workers on the cluster at ``address``; without one, on this machine. Raises `ScaleError`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray tells its makers of every run
    try:
        import ray
    except ModuleNotFoundError:
        raise ScaleError(_MISSING) from None
    where = {"address": address} if address else {"num_cpus": workers, "include_dashboard": False}
    try:
        ray.init(log_to_driver=False, configure_logging=False, **where)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ScaleError(f"no Ray cluster answers at {address or 'this machine'}: {error}") from error
    try:
        yield Spread(ray, workers)
    finally:
        ray.shutdown()


class Crew:
    """`training.adapter.Crew` over workers: each text always goes to the same one, which keeps its lower part."""

    def __init__(self, spread: Spread, encoder: UpperLayers, workers: Sequence[Any]) -> None:
        self._spread = spread
        self._encoder = encoder
        self._workers = workers
        self._place: dict[str, int] = {}
        self._state: Any = None

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        self._state = self._spread.share(self._encoder.state())
        dealt = self._dealt(texts)
        asked = [self._workers[to].vectors.remote(self._state, [texts[row] for row in rows]) for to, rows in dealt]
        found = torch.empty((len(texts), self._encoder.dimension))
        for (_, rows), vectors in zip(dealt, self._spread.gathered(asked), strict=True):
            found[rows] = torch.from_numpy(vectors.copy())
        return found

    def learn(self, texts: Sequence[str], pull: torch.Tensor) -> None:
        asked = [
            self._workers[to].gradients.remote(self._state, [texts[row] for row in rows], pull[rows].numpy())
            for to, rows in self._dealt(texts)
        ]
        for gradients in self._spread.gathered(asked):
            for parameter, gradient in zip(self._encoder.parameters, gradients, strict=True):
                own = torch.from_numpy(gradient.copy()).to(parameter.device)
                parameter.grad = own if parameter.grad is None else parameter.grad + own

    def _dealt(self, texts: Sequence[str]) -> list[tuple[int, list[int]]]:
        """Workers with the rows of their texts."""
        for text in texts:
            self._place.setdefault(text, len(self._place) % len(self._workers))
        rows: dict[int, list[int]] = {}
        for row, text in enumerate(texts):
            rows.setdefault(self._place[text], []).append(row)
        return sorted(rows.items())


class _Embedding:
    """Runs in a worker: the embedder of one encoder."""

    def __init__(self, source: Source) -> None:
        self._embedder = load_embedder(source.folder(), threads=1)

    def embed(self, start: int, texts: Sequence[str]) -> tuple[int, Vectors]:
        return start, self._embedder.embed(list(texts))


class _Learning:
    """Runs in a worker: the upper layers, put each time to what the weights are now."""

    def __init__(self, source: Source, recipe: Recipe) -> None:
        torch.set_num_threads(1)
        self._layers = UpperLayers(source.folder(), layers=recipe.layers, rank=recipe.rank, seed=recipe.seed)

    def vectors(self, state: State, texts: Sequence[str]) -> NDArray[np.float32]:
        self._layers.restore(state)
        found: NDArray[np.float32] = self._layers.vectors(texts).numpy()
        return found

    def gradients(self, state: State, texts: Sequence[str], pull: NDArray[np.float32]) -> State:
        self._layers.restore(state)
        self._layers.learn(texts, torch.from_numpy(pull.copy()))
        return self._layers.taken()
