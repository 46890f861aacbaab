"""Wires the parts together by plain constructors; the one place that turns settings into objects.

What one role alone needs is imported where that is built, so that the others neither wait for it nor hold it.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from models.agents import AgentRules
from models.keeping import Keeping
from service.clock import Clock
from service.errors import Conflict
from service.metrics import Metrics
from service.settings import Settings, TimeMode
from service.store import keys
from service.store.access import AccessLog
from service.store.adapters import Adapters
from service.store.agents import KEPT as GROUP_KEPT
from service.store.agents import AgentGroups
from service.store.alerts import AlertBook
from service.store.answers import Answers, publish_answers
from service.store.apikeys import ApiKeys
from service.store.board import Board
from service.store.campaigns import Campaigns
from service.store.context import PushedContext
from service.store.counts import Counts, Retention
from service.store.customers import Customers
from service.store.erasures import KEPT, Erasures
from service.store.fissures import Fissures
from service.store.gauges import Gauges
from service.store.inbox import Inbox
from service.store.judgement import JudgeStore
from service.store.lease import Lease
from service.store.lineage import LineageLog
from service.store.model import ModelStore
from service.store.outbox import EVERYBODY, Outbox
from service.store.pools import Pools
from service.store.pulse import Pulse
from service.store.receivers import ReceiverStates
from service.store.redis import Store, store_errors, text_of
from service.store.shipped import Shipped
from service.store.sweep import Sweep
from service.store.teams import KEPT as TEAM_KEPT
from service.store.teams import Teams
from service.store.vigil import Vigil

if TYPE_CHECKING:
    from models.cost import Rates
    from models.discovery import DiscoverySettings
    from models.embed import Embedder, Language
    from models.encoder.adapter import Adapter
    from service.api.parts import ApiParts
    from service.notify.receiver import Receiver
    from service.pipeline.deliver import Deliverer
    from service.pipeline.discover import Discovery
    from service.pipeline.gauge import GaugeJudge
    from service.pipeline.ingest import Ingest
    from service.pipeline.judge import Judge
    from service.pipeline.promote import Promotion
    from service.pipeline.remote import RemoteEmbedder
    from service.pipeline.worker import Worker


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of one store."""

    store: Store
    inbox: Inbox
    counts: Counts
    pools: Pools
    models: ModelStore
    lineage: LineageLog
    adapters: Adapters
    gauges: Gauges
    gauge: JudgeStore
    pushed: PushedContext
    access: AccessLog
    shipped: Shipped
    book: AlertBook
    judge: JudgeStore
    outbox: Outbox
    receivers: ReceiverStates
    campaigns: Campaigns
    keys: ApiKeys


def open_rooms(settings: Settings, url: str) -> Rooms:
    """Rooms on the store at ``url``; nothing is sent yet."""
    store = Store.connect(url, replicas=settings.store_replicas)
    partitions = settings.partitions
    retention = Retention(
        settings.keep_counts, settings.keep_cells, settings.samples_per_topic, settings.waiting, settings.recent
    )
    return Rooms(
        store=store,
        inbox=Inbox(store, partitions=partitions, keep_seen=settings.keep_seen, max_backlog=settings.max_backlog),
        counts=Counts(store, partitions=partitions, retention=retention),
        pools=Pools(store, partitions=partitions),
        models=ModelStore(store),
        lineage=LineageLog(store),
        adapters=Adapters(store),
        gauges=Gauges(
            store,
            partitions=partitions,
            seen=settings.keep_seen,
            buckets=settings.keep_counts,
            cells=settings.keep_cells,
        ),
        gauge=JudgeStore(store, role="gauge"),
        pushed=PushedContext(store, settings.keep_context),
        access=AccessLog(store, settings.keep_access),
        shipped=Shipped(store, settings.keep_orders),
        book=AlertBook(store),
        judge=JudgeStore(store),
        outbox=Outbox(store),
        receivers=ReceiverStates(store),
        campaigns=Campaigns(store),
        keys=ApiKeys(store),
    )


async def lay_out(rooms: Rooms, settings: Settings) -> None:
    """Make the consumer groups, and hold the store to the number of partitions it was begun with."""
    with store_errors():
        await rooms.store.client.hsetnx(keys.LAYOUT, "partitions", settings.partitions)
        begun = int(await rooms.store.client.hget(keys.LAYOUT, "partitions") or 0)
    if begun != settings.partitions:
        raise Conflict(f"this store was begun with {begun} partitions; set TOCSIN_PARTITIONS={begun}")
    await rooms.inbox.prepare()


def process_name(role: str) -> str:
    """A name no other living process has."""
    return f"{role}-{socket.gethostname()}-{os.getpid()}"


def build_ingest(settings: Settings, rooms: Rooms, clock: Clock, hash_key: bytes) -> Ingest:
    from models.redact import Numbers, RedactSettings
    from service.pipeline.ingest import Ingest, IngestRules

    numbers = Numbers(settings.order_ids)
    redact = RedactSettings(orders=numbers, tracking=numbers, hash_key=hash_key)
    agents = agent_rules(settings)
    rules = IngestRules(hash_key, settings.max_text, redact, agents, check_clock=settings.time is TimeMode.wall)
    return Ingest(rooms.inbox, rules, clock, AgentGroups(rooms.store, agents))


def agent_rules(settings: Settings) -> AgentRules:
    return AgentRules(frozenset(one.lower() for one in settings.agent_groups), settings.agent_least)


def kept(settings: Settings) -> tuple[Keeping, ...]:
    """What is kept, in plain words, with the spans of the settings."""
    days = timedelta(days=1)
    text: Mapping[Language, str] = {"en": "redacted text", "zh": "脱敏文本"}
    sums: Mapping[Language, str] = {"en": "sums", "zh": "汇总数字"}
    hashed: Mapping[Language, str] = {"en": "keyed hash", "zh": "带密钥哈希"}
    numbers: Mapping[Language, str] = {"en": "numbers of alerts", "zh": "告警编号"}
    named: Mapping[Language, str] = {"en": "names of keys", "zh": "密钥名称"}
    agents = Keeping({"en": "who is in a group of agents", "zh": "客服小组成员"}, hashed, GROUP_KEPT)
    return (
        Keeping({"en": "messages", "zh": "消息"}, text, settings.keep_messages, settings.recent),
        Keeping({"en": "alerts with sample messages", "zh": "告警及样例消息"}, text, settings.keep_alerts),
        Keeping({"en": "counts by topic", "zh": "按主题计数"}, sums, settings.keep_counts),
        Keeping({"en": "counts by attribute", "zh": "按属性计数"}, sums, settings.keep_cells),
        Keeping({"en": "observations of indicators", "zh": "指标观测"}, sums, settings.keep_counts),
        Keeping({"en": "the same by attribute", "zh": "指标观测（按属性）"}, sums, settings.keep_cells),
        Keeping({"en": "who was counted", "zh": "已计数顾客"}, hashed, 4 * days),
        Keeping({"en": "ids of messages seen", "zh": "已见消息编号"}, hashed, settings.keep_seen + days),
        Keeping({"en": "which alerts a team was told of", "zh": "团队被通知过哪些告警"}, numbers, TEAM_KEPT),
        Keeping({"en": "orders shipped, by day", "zh": "每日发货订单数"}, sums, settings.keep_orders),
        Keeping({"en": "pushed context", "zh": "推送的顾客资料"}, text, settings.keep_context),
        Keeping({"en": "that a customer was erased", "zh": "已抹去某位顾客的记录"}, hashed, KEPT),
        Keeping({"en": "who looked at customers' data", "zh": "谁查看过顾客资料"}, named, settings.keep_access),
        *((agents,) if settings.agent_groups else ()),
    )


def build_worker(
    settings: Settings, rooms: Rooms, embedder: Embedder, metrics: Metrics, ready: Callable[[], None] | None = None
) -> Worker:
    from service.pipeline.embedders import Embedders
    from service.pipeline.worker import Worker, WorkerRules

    rules = WorkerRules(settings.worker_batch, settings.claim_after, settings.max_deliveries)
    return Worker(
        process_name("worker"), rooms.inbox, rooms.counts, rooms.models,
        Embedders(embedder, rooms.adapters, lambda adapter: build_embedder(settings, adapter=adapter)), rules, metrics,
        lambda answers: publish_answers(rooms.store, answers), ready,
    )  # fmt: skip


def build_rates(settings: Settings) -> Rates:
    from models.cost import Rates

    return Rates(
        hour=settings.cost_hour,
        handling=settings.cost_handling,
        refund=settings.cost_return,
        margin=settings.cost_margin,
        currency=settings.currency,
    )


def build_customers(settings: Settings, rooms: Rooms) -> Customers:
    return Customers(rooms.store, rooms.pushed, rooms.models, partitions=settings.partitions)


def build_judge(settings: Settings, rooms: Rooms, lease: Lease, metrics: Metrics) -> Judge:
    from models.budget import parts_of
    from service.pipeline.exposure import Exposure
    from service.pipeline.hidden import Hidden
    from service.pipeline.judge import Erasing, Judge, JudgeRules
    from service.pipeline.lookout import Lookout
    from service.pipeline.succession import Succession
    from service.pipeline.tide import Tide
    from service.pipeline.witness import Witness

    rules = JudgeRules(
        false_alarms_per_week=settings.false_alarms_per_week,
        part=1 - settings.indicators_part,
        receivers=(EVERYBODY,),
        base_url=settings.public_url,
    )
    witness = Witness(rooms.counts, rooms.pools, rooms.models)
    parts = parts_of(rules.part * settings.false_alarms_per_week)
    lookout = Lookout(rooms.pools, rooms.models, parts.crowds)
    tide = Tide(rooms.counts, rooms.models, lookout, parts.swells)
    hidden = Hidden(rooms.counts, witness, past=settings.keep_cells)
    succession = Succession(rooms.lineage, rooms.counts, rooms.pools, rooms.models, settings.keep_counts)
    return Judge(
        rooms.judge, rooms.counts, rooms.models, rooms.book, rooms.campaigns, witness, lookout, tide, hidden,
        succession, rules, metrics, lease.token, rooms.gauges,
        Vigil(rooms.store) if settings.time is TimeMode.wall else None, Exposure(rooms.shipped),
        Erasing(Erasures(rooms.store), build_customers(settings, rooms)),
    )  # fmt: skip


def build_gauge(settings: Settings, rooms: Rooms, lease: Lease, metrics: Metrics) -> GaugeJudge:
    from service.pipeline.gauge import GaugeJudge, GaugeRules
    from service.pipeline.indicators import read_indicators

    rules = GaugeRules(
        indicators=tuple(read_indicators(settings.indicators).values()),
        false_alarms_per_week=settings.false_alarms_per_week,
        part=settings.indicators_part,
        keep=settings.keep_counts,
        receivers=(EVERYBODY,),
        base_url=settings.public_url,
        relearn=settings.time is TimeMode.wall,
    )
    return GaugeJudge(rooms.gauge, rooms.gauges, rooms.book, rooms.campaigns, rules, metrics, lease.token)


def build_sweep(settings: Settings, rooms: Rooms) -> Sweep:
    return Sweep(
        rooms.store,
        rooms.book,
        partitions=settings.partitions,
        messages=settings.keep_messages,
        alerts=settings.keep_alerts,
    )


def build_discovery(settings: Settings, rooms: Rooms, found: DiscoverySettings | None = None) -> Discovery:
    from models.discovery import DiscoverySettings
    from service.pipeline.discover import DiscoverRules, Discovery

    rules = DiscoverRules(
        settings.discover_first,
        births_per_week=settings.false_alarms_per_week / 2,
        settings=found or DiscoverySettings(),
    )
    return Discovery(rooms.pools, rooms.counts, rooms.models, rules, Fissures(rooms.store), lambda: embedder_of(rooms))


async def build_promotion(settings: Settings, rooms: Rooms) -> Promotion:
    """Promotion on a store that a worker has begun. Raises `Conflict` before that."""
    from service.pipeline.promote import Promotion

    begun = await embedder_of(rooms)
    if begun is None:
        raise Conflict("no worker has run on this store yet; start the service once, then promote")
    return Promotion(rooms.models, rooms.adapters, lambda adapter: build_embedder(settings, adapter=adapter), begun[0])


def build_receivers(settings: Settings, environment: Mapping[str, str]) -> list[Receiver]:
    """Everybody who is told: of the receivers' file, and a signed webhook for each URL of the settings."""
    from service.notify.address import AllowList
    from service.notify.file import read_receivers, webhook_receivers

    allow = AllowList.parse(settings.allow_hosts)
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else None
    listed = read_receivers(settings.receivers, environment, allow) if settings.receivers else []
    return [*webhook_receivers(settings.webhooks, secret, allow), *listed]


def build_deliverer(settings: Settings, rooms: Rooms, metrics: Metrics) -> Deliverer:
    from service.pipeline.deliver import Deliverer
    from service.pipeline.fatigue import Reports

    receivers, teams = build_receivers(settings, os.environ), Teams(rooms.store)
    return Deliverer(rooms.outbox, receivers, rooms.receivers, metrics, teams, Reports(teams, rooms.book))


def build_api_parts(settings: Settings, rooms: Rooms, clock: Clock, hash_key: bytes) -> ApiParts:
    from service.api.auth import Gate
    from service.api.parts import ApiParts
    from service.pipeline.context import Context
    from service.pipeline.contextfile import read_sources
    from service.pipeline.exposure import Exposure
    from service.pipeline.indicators import read_indicators
    from service.pipeline.mapping import all_mappings

    admin_key = settings.admin_key.get_secret_value() if settings.admin_key else None
    return ApiParts(
        store=rooms.store,
        inbox=rooms.inbox,
        ingest=build_ingest(settings, rooms, clock, hash_key),
        answers=Answers(rooms.store),
        models=rooms.models,
        lineage=rooms.lineage,
        counts=rooms.counts,
        gauges=rooms.gauges,
        gauge=rooms.gauge,
        indicators=read_indicators(settings.indicators),
        pushed=rooms.pushed,
        context=Context(rooms.pushed, read_sources(settings.context, os.environ)),
        access=rooms.access,
        shipped=rooms.shipped,
        exposure=Exposure(rooms.shipped),
        customers=build_customers(settings, rooms),
        erasures=Erasures(rooms.store),
        teams=Teams(rooms.store),
        agents=agent_rules(settings),
        kept=kept(settings),
        pools=rooms.pools,
        book=rooms.book,
        judge=rooms.judge,
        outbox=rooms.outbox,
        receivers=rooms.receivers,
        campaigns=rooms.campaigns,
        keys=rooms.keys,
        pulse=Pulse(rooms.store),
        board=Board(rooms.store),
        vigil=Vigil(rooms.store),
        process=process_name("api"),
        gate=Gate(rooms.keys, clock, on=settings.auth_on, admin_key=admin_key),
        metrics=Metrics(),
        clock=clock,
        mappings=all_mappings(settings.mappings, os.environ),
        max_batch=settings.max_batch,
        max_body=settings.max_body,
        max_import=settings.max_import,
        base_url=settings.public_url,
        rates=build_rates(settings),
        false_alarms_per_week=settings.false_alarms_per_week,
    )


def build_embedder(
    settings: Settings,
    progress: Callable[[str, float], None] | None = None,
    *,
    adapter: Adapter | None = None,
    pool: RemoteEmbedder | None = None,
) -> Embedder:
    """The encoder that the settings name, or the pool that is there already; the packaged one, and what an adapter
    makes of it, is prepared at first use and runs in this process, whatever pool there is."""
    from models.vectorcache import CachedEmbedder

    shared = (pool or build_pool(settings)) if adapter is None else None
    embedder: Embedder = shared or _build_local(settings, progress, adapter)
    return CachedEmbedder(embedder, settings.encoder_cache) if settings.encoder_cache else embedder


def build_pool(settings: Settings) -> RemoteEmbedder | None:
    """The pool of encoders that the settings name; None where they name none."""
    if not settings.encoder_urls:
        return None
    key = settings.encoder_key.get_secret_value() if settings.encoder_key else None
    return RemoteEmbedder(settings.encoder_urls, key=key)


def _build_local(
    settings: Settings, progress: Callable[[str, float], None] | None, adapter: Adapter | None
) -> Embedder:
    from models.encoder.prepare import INTENT, ignore_progress, prepare
    from models.sentence import load_embedder

    told = progress or ignore_progress
    if adapter is None and settings.encoder:
        source: str | Path = settings.encoder
    else:
        source = prepare(settings.cache, told, adapter=adapter or INTENT)
    return load_embedder(source, settings.encoder_backend, threads=encoder_threads(settings))


def encoder_threads(settings: Settings) -> int:
    """As set, else the cores there are, shared among the workers, at most 4 each."""
    return settings.encoder_threads or max(1, min(4, len(os.sched_getaffinity(0)) // settings.workers))


async def hold_embedder(rooms: Rooms, name: str, dimension: int) -> None:
    """Hold the store to the embedder its vectors were made with."""
    with store_errors():
        await rooms.store.client.hsetnx(keys.LAYOUT, "embedder", f"{dimension} {name}")
    begun = await embedder_of(rooms)
    if begun != (name, dimension):
        raise Conflict(
            f"this store holds vectors of {begun}, not of {(name, dimension)}; use another store, or set TOCSIN_ENCODER "
            "to a folder with that encoder (one that an earlier version made is still under TOCSIN_CACHE)"
        )


async def embedder_of(rooms: Rooms) -> tuple[str, int] | None:
    """Name and dimension of the embedder that the store's vectors were made with; None before the first worker."""
    with store_errors():
        held = await rooms.store.client.hget(keys.LAYOUT, "embedder")
    if held is None:
        return None
    dimension, name = text_of(held).split(" ", 1)
    return name, int(dimension)


def hash_key_of(settings: Settings) -> bytes:
    """The secret of the customer hashes: as set, else one made once and kept beside the embedded store.

    Raises `Conflict` where the store is shared and no secret is set: every machine must hash alike.
    """
    if settings.hash_key is not None:
        return settings.hash_key.get_secret_value().encode()
    if settings.store_url is not None:
        raise Conflict("set TOCSIN_HASH_KEY to the same random words on every machine that uses this store")
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.data_dir / "hash.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(handle, secrets.token_hex(32).encode())
        os.close(handle)
    except FileExistsError:
        pass
    return path.read_bytes()


SCAN_EVERY = timedelta(hours=1)
"""How often messages of no topic are scanned for an issue that emerges."""

TICK = timedelta(seconds=2)
"""How often the judge looks for closed buckets, and the deliverer for what is due."""
