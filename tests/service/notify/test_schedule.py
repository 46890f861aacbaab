from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.notify.schedule import WAITS, next_attempt


def test_ten_tries_over_some_three_days() -> None:
    waits = [next_attempt(attempt, 0.0) for attempt in range(10)]
    assert waits == [
        timedelta(0),
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
    ]
    assert next_attempt(10, 0.0) is None


@given(st.integers(0, 9), st.floats(0, 1, exclude_max=True))
def test_jitter_delays_by_at_most_a_tenth(attempt: int, jitter: float) -> None:
    wait = next_attempt(attempt, jitter)
    assert wait is not None
    assert WAITS[attempt] <= wait <= WAITS[attempt] * 1.1
