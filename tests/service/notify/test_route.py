from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from models.severity import Severity
from service.notify.pace import Pace
from service.notify.route import Quiet, Route, View
from tests.service.notify.payloads import alert, payload

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = Quiet(time(22), time(8), SHANGHAI)


def view(**changes: object) -> View:
    found: View = orjson.loads(payload(alert(**changes)))["data"]  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("route", "wanted"),
    [
        (Route(), True),
        (Route(severity=Severity.critical), True),
        (Route(topics=("t1",)), True),
        (Route(topics=("充电",)), True),
        (Route(topics=("CHARGE",)), True),
        (Route(topics=("screen",)), False),
        (Route(attributes={"batch": ("PB20-3",)}), True),
        (Route(attributes={"brand": ("Acme", "Other")}), True),
        (Route(attributes={"brand": ("Other",)}), False),
        (Route(attributes={"brand": ("Acme",), "region": ("华北",)}), False),
        (Route(reasons=("resolved",)), False),
    ],
)
def test_a_route_lets_through_what_the_receiver_asked_for(route: Route, wanted: bool) -> None:
    assert route.wants(view()) is wanted


def test_a_route_by_severity_leaves_the_milder_out() -> None:
    assert not Route(severity=Severity.critical).wants(view(severity=Severity.warning))


def test_an_attribute_that_few_samples_carry_is_not_what_the_alert_is_about() -> None:
    one = alert(texts=("a", "b", "c"))
    samples = tuple(replace(s, attributes={"brand": "X"}) if n else s for n, s in enumerate(one.evidence.samples))
    mixed = replace(one, evidence=replace(one.evidence, samples=samples))
    assert not Route(attributes={"brand": ("Acme",)}).wants(orjson.loads(payload(mixed))["data"])


@pytest.mark.parametrize(
    ("hour", "opens_hour"),
    [(21, 21), (22, 8), (23, 8), (0, 8), (7, 8), (8, 8), (12, 12)],
)
def test_quiet_hours_over_midnight_put_off_until_their_end_in_their_own_zone(hour: int, opens_hour: int) -> None:
    now = datetime(2026, 3, 10, hour, 0, tzinfo=SHANGHAI).astimezone(UTC)
    opens = NIGHT.opens(now, Severity.warning)
    assert opens.astimezone(SHANGHAI).hour == opens_hour
    assert timedelta(0) <= opens - now < timedelta(hours=11)


def test_the_gravest_come_through_quiet_hours() -> None:
    now = datetime(2026, 3, 10, 23, 0, tzinfo=SHANGHAI)
    assert NIGHT.opens(now, Severity.critical) == now
    assert replace(NIGHT, unless=None).opens(now, Severity.critical) > now


def test_quiet_hours_begin_on_their_days_alone() -> None:
    weekend = replace(NIGHT, days=frozenset({5, 6}))
    friday, saturday = (datetime(2026, 3, day, 23, 0, tzinfo=SHANGHAI) for day in (13, 14))
    monday_night = datetime(2026, 3, 16, 3, 0, tzinfo=SHANGHAI)  # begun on Sunday
    assert weekend.opens(friday) == friday
    assert weekend.opens(saturday) > saturday
    assert weekend.opens(monday_night).astimezone(SHANGHAI) == datetime(2026, 3, 16, 8, 0, tzinfo=SHANGHAI)


def test_all_limits_of_a_pace_hold() -> None:
    pace = Pace((100, timedelta(minutes=1)), (5, timedelta(seconds=1)))
    now = datetime(2026, 3, 10, tzinfo=UTC)
    at = now.timestamp()
    assert pace.free_at([at - 0.5] * 4, now) == now
    assert pace.free_at([at - 0.5] * 5, now) == now + timedelta(seconds=0.5)
    assert pace.free_at([at - 20] * 100, now) == now + timedelta(seconds=40)
    assert Pace().free_at([at] * 1_000, now) == now
