"""Take out what the service knows, for training: its topics, its encoder's adapter and the messages that it keeps."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path

import orjson

from models.bundle import (
    ADAPTER,
    FORMAT,
    MESSAGES,
    TOPICS,
    Data,
    Encoder,
    Manifest,
    topics_bytes,
    write,
)
from service.errors import Conflict
from service.store.adapters import Adapters
from service.store.model import ModelStore
from service.store.pools import Held, Pools


async def take(models: ModelStore, adapters: Adapters, pools: Pools, folder: Path, now: datetime) -> Manifest:
    """Write the present model and every kept message as a live bundle. Raises `Conflict` before the first topics."""
    model = (await models.current()).model
    if model is None:
        raise Conflict("there are no topics yet; send more messages, or retrain from a file alone")
    held = {(one.message.source, one.message.id): one for one in await pools.all(topic.id for topic in model.topics)}
    messages = b"".join(_line(one) for one in sorted(held.values(), key=lambda one: one.message.occurred_at))
    contents = {TOPICS: topics_bytes(model), MESSAGES: messages}
    content = await adapters.content(model.embedder)
    if content is not None:
        contents[ADAPTER] = content
    manifest = Manifest(
        format=FORMAT,
        kind="live",
        name=folder.name,
        made=now,
        encoder=Encoder(name=model.embedder, dimension=model.centring.dimension, base=model.embedder),
        data=Data(fingerprint=sha256(messages).hexdigest(), messages=len(held), labelled=0, rejected=0),
        recipe={},
        scores={},
        objections=(),
        files={},
    )
    return write(folder, manifest, contents)


def _line(held: Held) -> bytes:
    message = held.message
    fields: dict[str, str] = {
        "id": message.id, "source": message.source, "text": message.text,
        "occurred_at": message.occurred_at.isoformat(), "customer": message.customer,
    }  # fmt: skip
    return orjson.dumps(fields) + b"\n"
