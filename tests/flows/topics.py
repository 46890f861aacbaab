"""A store with topics in it, made by the real encoder and without waiting for a discovery."""

import asyncio
from datetime import UTC, datetime

from models.embed import Centring, language_of
from models.gist import gist
from models.sentence import load_embedder
from models.topic import Topic
from models.topics import TopicModel
from service.store.model import ModelStore
from service.store.redis import Store
from tests.flows.conftest import Stage

OTHERS = (
    "物流一周没更新了", "客服一直不回复", "尺码偏小穿不下", "退款还没到账", "屏幕有一条竖线", "味道有点刺鼻",
    "parcel is late", "refund never came", "the zip broke", "screen has a dead pixel",
)  # fmt: skip


def one_topic(stage: Stage, name: str, text: str, first: int = 1) -> None:
    """Let the store know one topic, which messages like ``text`` belong to, known from bucket ``first`` on."""
    embedder = load_embedder(str(stage.encoder))
    texts = [gist(one) for one in (text, *OTHERS)]
    vectors, languages = embedder.embed(texts), [language_of(one) for one in texts]
    centring = Centring.fit(vectors, languages)
    centroid = centring.apply(vectors, languages)[0]
    topic = Topic(name, centroid, 0.5, 40, datetime.now(UTC), ("充电",), {"zh": text, "en": "does not charge"})

    async def save() -> None:
        store = Store.connect(stage.url)
        await ModelStore(store).save(TopicModel(embedder.name, centring, (topic,)), first, after=0, at=topic.born)
        await store.close()

    asyncio.run(save())
