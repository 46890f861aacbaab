"""Alerts to show: one episode after the other, with everything that the page can say of them."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from models.alert import Alert
from models.evidence import CulpritFigures, CurvePoint, Evidence, Sample, TopicName, WindowFigures
from models.message import RedactedText
from models.severity import grade
from models.surge import SurgeState
from models.topic import Exemplar, Topic, TopicId

ISSUES: tuple[dict[str, Any], ...] = (
    {
        "id": "t12",
        "zh": "充电器发烫、有焦味",
        "en": "Charger overheats, smells burnt",
        "terms": ("充电器", "发烫", "焦味", "烫手", "charger", "hot"),
        "culprit": ("batch", "CD65-2511B"),
        "texts": (
            "充电器插上十分钟就烫得拿不住，还有一股焦味，不敢再用了，请尽快处理",
            "新买的 65W 充电头，充电时外壳烫手，插头那边都有点发黄了",
            "The charger gets too hot to touch after a few minutes and there is a burnt smell. Is this safe?",
            "昨晚充电的时候闻到塑料烧焦的味道，赶紧拔了，孩子在旁边真的很危险",
            "充着充着自己断电了，摸一下烫得不行，之前买的同款没有这个问题",
            "charger went really hot overnight, plastic around the plug is discoloured, want a refund",
        ),
    },
    {
        "id": "t31",
        "zh": "快递停滞不更新",
        "en": "Parcel stuck in transit",
        "terms": ("快递", "物流", "不更新", "停滞", "parcel", "stuck"),
        "culprit": ("warehouse", "华东二仓"),
        "texts": (
            "物流三天没更新了，一直停在中转站，什么时候能到？",
            "My parcel has not moved since Tuesday, tracking still says in transit.",
            "催了两次都说在核实，包裹到底在哪里",
        ),
    },
    {
        "id": "t07",
        "zh": "优惠券下单时无法使用",
        "en": "Coupon rejected at checkout",
        "terms": ("优惠券", "不能用", "满减", "coupon", "checkout"),
        "culprit": ("channel", "app"),
        "texts": ("The 40 off 300 coupon says not applicable at checkout, and I cannot claim it again",),
    },
    {
        "id": "t19",
        "zh": "收到的颜色与下单不符",
        "en": "Wrong colour delivered",
        "terms": ("颜色", "发错", "不符", "colour", "wrong"),
        "culprit": ("sku", "TS-08-蓝"),
        "texts": ("下单的是雾霾蓝，收到的是深蓝，色差太大了",),
    },
    {
        "id": "t44",
        "zh": "退款迟迟不到账",
        "en": "Refund not received",
        "terms": ("退款", "没到账", "几天", "refund"),
        "culprit": ("payment", "花呗"),
        "texts": ("退货都签收六天了，退款还没到账",),
    },
)

NOW = (datetime.now(UTC) - timedelta(minutes=5)).replace(minute=5, second=0, microsecond=0)


def alert(
    number: int = 0,
    *,
    observed: int = 45,
    expected: float = 4.6,
    hours: int = 3,
    ago: timedelta = timedelta(0),
    texts: tuple[str, ...] | None = None,
    label: str | None = None,
    attributes: dict[str, str] | None = None,
    ended: bool = False,
    suffix: str = "",
) -> Alert:
    """An alert on issue ``number``, that rang ``ago`` before now."""
    issue = ISSUES[number % len(ISSUES)]
    end = NOW - ago
    onset = end - timedelta(hours=hours)
    attribute, value = issue["culprit"]
    topic_id = f"{issue['id']}{suffix}"
    labels = {"zh": label or issue["zh"], "en": label or issue["en"]}
    bound = math.ceil(expected + 3.2 * math.sqrt(expected) + 1)
    evidence = Evidence(
        topic=TopicName(topic_id, labels["zh"], labels, issue["terms"]),
        window=WindowFigures(onset, end, observed, expected, bound),
        onset=onset,
        customers=observed + 6,
        messages=round(observed * 1.7),
        windows=(
            WindowFigures(end - timedelta(hours=1), end, round(observed * 0.6), expected / hours, bound // 2),
            WindowFigures(onset, end, observed, expected, bound),
            WindowFigures(end - timedelta(hours=24), end, observed + 9, expected * 7, bound * 3),
        ),
        culprits=(
            _culprit(attribute, value, round(observed * 0.8), 1.9 + 0.3 * number, 3.2e-17),
            _culprit("region", "浙江", round(observed * 0.3), 5.1, 0.0041),
        ),
        samples=tuple(
            Sample(
                message_id=f"m-{n + 1:04}",
                source="tickets" if n % 3 else "chatbot",
                text=RedactedText(text),
                occurred_at=onset + timedelta(minutes=11 + 23 * n),
                attributes=attributes or {"sku": "CD-65W", attribute: value, "region": ("浙江", "江苏", "上海")[n % 3]},
                order_id=f"20251122{n:04}" if n % 2 else None,
            )
            for n, text in enumerate(texts or issue["texts"])
        ),
        curve=_curve(end, hours, observed, expected, number),
        contributions={"level": expected / 1.23, "hour": 1.31, "weekday": 0.86, "volume": 1.09},
    )
    return Alert(
        id=f"{end:%Y%m%dT%H%M}-{topic_id}",
        state=SurgeState.resolved if ended else SurgeState.firing,
        fired_at=end,
        noticed_at=end + timedelta(seconds=8),
        updated_at=end + timedelta(hours=4 if ended else 0),
        grade=grade(observed, expected, timedelta(hours=hours)),
        evidence=evidence,
        resolved_at=end + timedelta(hours=4) if ended else None,
    )


def _culprit(attribute: str, value: str, observed: int, expected: float, p: float) -> CulpritFigures:
    return CulpritFigures(attribute, value, observed, expected, observed / expected, p)


def _curve(end: datetime, hours: int, observed: int, expected: float, seed: int) -> tuple[CurvePoint, ...]:
    """Three days by the hour: a day's rise and fall, chance, and the surge at the end."""
    rng = np.random.default_rng(seed)
    first = end.replace(minute=0) - timedelta(hours=71)
    points = []
    for n in range(72):
        start = first + timedelta(hours=n)
        usual = expected / hours * (1 + 0.7 * math.sin((start.hour - 8) / 24 * 2 * math.pi))
        since = n - (72 - hours)
        extra = observed / hours * (0.4 + 1.2 * since / max(hours - 1, 1)) if since >= 0 else 0.0
        count = int(rng.poisson(max(usual, 0.05) + extra))
        points.append(CurvePoint(start, count, usual, usual + 2 * math.sqrt(usual + 0.4)))
    return tuple(points)


def topics() -> list[Topic]:
    """The issues as topics, with a text or two of each."""
    found = []
    for n, issue in enumerate(ISSUES):
        found.append(
            Topic(
                id=TopicId(issue["id"]),
                centroid=np.ones(1, dtype=np.float32),
                radius=0.2,
                size=40 + n,
                born=NOW - timedelta(days=3 + n),
                terms=issue["terms"],
                labels={"zh": issue["zh"], "en": issue["en"]},
                exemplars=tuple(Exemplar(f"e-{n}-{i}", RedactedText(text)) for i, text in enumerate(issue["texts"])),
            )
        )
    return found
