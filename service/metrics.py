"""Every metric, by name, in one place. Labels are few and closed sets; never a customer, a text or a topic."""

from collections.abc import Mapping

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.accepted = Counter("tocsin_messages_accepted", "Messages taken into the inbox", registry=registry)
        self.observed = Counter("tocsin_observations_accepted", "Observations of indicators", registry=registry)
        self.duplicates = Counter("tocsin_messages_duplicate", "Messages posted again", registry=registry)
        self.rejected = Counter("tocsin_messages_rejected", "Messages refused at the door", ["code"], registry=registry)
        self.counted = Counter("tocsin_messages_counted", "Messages counted", registry=registry)
        self.dead = Counter("tocsin_messages_dead", "Messages put aside", ["reason"], registry=registry)
        self.waiting = Gauge("tocsin_inbox_messages", "Messages accepted and not yet counted", registry=registry)
        self.lag = Gauge("tocsin_inbox_lag_seconds", "Age of the oldest waiting message", registry=registry)
        self.topics = Gauge("tocsin_topics", "Topics", registry=registry)
        self.noise = Gauge("tocsin_noise_ratio", "Share of the last day's messages of no topic", registry=registry)
        self.alerts = Counter("tocsin_alerts", "Alerts by transition", ["reason", "severity"], registry=registry)
        self.judged = Gauge("tocsin_judged_timestamp_seconds", "End of the last judged bucket", registry=registry)
        self.threshold = Gauge("tocsin_threshold", "Score over which a topic alarms", registry=registry)
        self.tick = Histogram("tocsin_tick_seconds", "Time to judge one bucket", registry=registry)
        self.notified = Counter("tocsin_notifications", "Notifications by outcome", ["outcome"], registry=registry)
        self.outbox = Gauge("tocsin_outbox_notifications", "Notifications that wait", registry=registry)

    def snapshot(self) -> bytes:
        """Everything measured so far, for another process to show."""
        families = [
            {
                "name": family.name,
                "help": family.documentation,
                "type": family.type,
                "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
            }
            for family in self.registry.collect()
        ]
        return orjson.dumps(families)


def shown(snapshots: Mapping[str, bytes]) -> bytes:
    """The metrics of several processes in the Prometheus text format, each sample labelled with its ``role``."""
    families: dict[str, Metric] = {}
    for role, body in sorted(snapshots.items()):
        for one in orjson.loads(body):
            family = families.setdefault(one["name"], Metric(one["name"], one["help"], one["type"]))
            for name, labels, value in one["samples"]:
                if not name.endswith("_created"):
                    family.add_sample(name, {**labels, "role": role}, value)
    registry = CollectorRegistry()
    registry.register(_Fixed(list(families.values())))
    return generate_latest(registry)


class _Fixed(Collector):
    """A collector of families that are known already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families
