"""Why an alert is believed: figures, curve, culprits, sample messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import log

from models.culprit import Cell
from models.exposure import Pace, Rate
from models.indicator import CostKind, Direction, Kind
from models.limits import Cause
from models.message import CustomerKey, RedactedText
from models.surge import LEAST_EXPECTED


@dataclass(frozen=True, slots=True)
class TopicName:
    """A topic as people read it: id, label by language, terms."""

    id: str
    label: str
    labels: Mapping[str, str]
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """One window that spoke: its end is the end of the judged bucket. Counts of customers; of an indicator, figures in
    its own unit, ``upper_bound`` being the threshold that was crossed."""

    start: datetime
    end: datetime
    observed: float
    expected: float
    upper_bound: float

    @property
    def minutes(self) -> int:
        return round((self.end - self.start).total_seconds() / 60)

    @property
    def telling(self) -> float:
        """How much likelier the count is at its own rate than at the expected one, in nats (Kulldorff, "A spatial scan
        statistic", 1997): comparable over windows of different lengths.

        >>> at = datetime(2025, 3, 3)
        >>> [round(WindowFigures(at, at, seen, 4.0, 9.0).telling, 1) for seen in (0, 4, 20)]
        [4.0, 0.0, 16.2]
        """
        expected = max(self.expected, LEAST_EXPECTED)
        return self.observed * log(max(self.observed, LEAST_EXPECTED) / expected) - (self.observed - expected)


@dataclass(frozen=True, slots=True)
class CulpritFigures:
    """An attribute value that is over-represented in the surge."""

    attribute: str
    value: str
    observed: int
    expected: float
    lift: float
    p: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One message that shows what is being said; redacted."""

    message_id: str
    source: str
    text: RedactedText
    occurred_at: datetime
    attributes: Mapping[str, str]
    order_id: str | None = None
    customer: CustomerKey | None = None
    """Never shown; so that a customer can be erased."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One bucket (or hour) of the curve: customers observed, expected, and the band's upper edge."""

    start: datetime
    observed: float
    expected: float
    upper: float


@dataclass(frozen=True, slots=True)
class GaugeFigures:
    """What an alert on an indicator shows beside its window: which threshold was crossed, and the others. ``campaigns``: the
    names of those that run, and ``campaign_hours``: how many hours of campaigns the expectation was learnt from. ``cost``:
    what one more costs."""

    indicator: str
    kind: Kind
    direction: Direction
    unit: str
    n: float
    cause: Cause
    start: float | None = None
    learnt: float | None = None
    lower: float | None = None
    upper: float | None = None
    campaigns: tuple[str, ...] = ()
    campaign_hours: float = 0.0
    cost: CostKind | None = None

    @property
    def percent(self) -> bool:
        """Whether figures read best in percent."""
        return self.kind.counted


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything an alert shows."""

    topic: TopicName
    window: WindowFigures
    onset: datetime
    customers: int
    messages: int
    windows: tuple[WindowFigures, ...] = ()
    culprits: tuple[CulpritFigures, ...] = ()
    samples: tuple[Sample, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    contributions: Mapping[str, float] = field(default_factory=dict)
    """What hour, weekday and volume did to the expectation, as factors."""
    rates: tuple[Rate, ...] = ()
    """Complaints per 1,000 orders, where orders are posted: of the culprit's first, of all last."""
    gauge: GaugeFigures | None = None
    """Of an alert on an indicator; figures are then in its unit, and customers and messages its observations."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The values that are behind it, the most telling first."""
        return tuple((one.attribute, one.value) for one in self.culprits)

    @property
    def excused(self) -> bool:
        """Whether complaints rose in step with orders, and with them alone: a sales peak, no defect."""
        return bool(self.rates) and self.rates[0].pace is Pace.in_step


def renewed(before: Evidence, now: Evidence) -> Evidence:
    """What an alert shows after another look: the more telling of both, with the curve of now.

    Long windows still see a surge when it is over, among ever more that is as usual: what was shown at its height stays.
    A look that sees nothing of what was shown is another surge's, and is shown; so is any after a sales peak.
    """
    anew = now.window.start >= before.window.end or before.excused or now.gauge is not None
    if anew or now.window.telling >= before.window.telling:
        return now
    return replace(
        before,
        onset=min(before.onset, now.onset),
        customers=max(before.customers, now.customers),
        messages=max(before.messages, now.messages),
        curve=now.curve,
    )
