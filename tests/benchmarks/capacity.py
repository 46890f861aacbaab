"""How many machines so many messages a day need: plain arithmetic on unit costs that were measured elsewhere."""

from dataclasses import dataclass
from math import ceil

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Units:
    """What one message costs, measured: core-seconds of each role, bytes in the store and on the wire."""

    api: float
    worker: float
    store: float
    kept_a_day: float
    """Bytes that a message adds to the store for as long as its id and its customer are remembered, by day of that."""
    wire: float
    """Bytes to and from the store."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is assumed, and not measured."""

    peak: float = 3.0  # times the mean of a day, for which there must be room
    busy: float = 0.6  # of a core, above which queues grow
    days: float = 3.0  # that ids are remembered, TOCSIN_KEEP_SEEN and a day
    fixed_gb: float = 2.0  # a master's samples, recent messages, counts and the judge's state
    master_gb: float = 24.0  # of memory that a master may fill
    cores: int = 8  # of a machine
    core_hour: float = 0.04  # money
    gb_hour: float = 0.005


@dataclass(frozen=True, slots=True)
class Plan:
    """What a number of messages a day needs."""

    millions: float
    api_cores: int
    worker_cores: int
    masters: int
    memory_gb: float
    """Of all masters; a replica each doubles it."""
    megabits: float
    """To and from the store at the peak, without replication."""
    machines: int
    cost_a_million: float


def plan(millions: float, units: Units, terms: Terms) -> Plan:
    """Machines for ``millions`` of messages a day, each master with one replica, at the peak.

    >>> one = plan(10, Units(api=1e-4, worker=1e-2, store=1e-4, kept_a_day=200, wire=2000), Terms())
    >>> one.worker_cores, one.masters, round(one.memory_gb)
    (6, 1, 8)
    """
    peak = millions * 1e6 / DAY * terms.peak
    api, worker = (ceil(peak * cost / terms.busy) for cost in (units.api, units.worker))
    kept = millions * 1e6 * units.kept_a_day * terms.days / 1e9
    by_memory = kept / (terms.master_gb - terms.fixed_gb)
    masters = max(1, ceil(max(peak * units.store / terms.busy, by_memory)))
    memory = kept + masters * terms.fixed_gb
    cores = api + worker + 2 * masters + 2  # the judge and the delivery
    hourly = cores * terms.core_hour + 2 * memory * terms.gb_hour
    return Plan(
        millions, api, worker, masters, memory, peak * units.wire * 8 / 1e6, ceil(cores / terms.cores),
        24 * hourly / millions,
    )  # fmt: skip
