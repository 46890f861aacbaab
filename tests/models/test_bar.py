from datetime import UTC, datetime

from models.bar import HALF_LIFE, MOST, STEP, Bar, extras, raise_bar

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_judgements_add_up_to_a_limit_and_fade_by_half_in_four_weeks() -> None:
    bars: list[Bar] = []
    for number in range(5):
        bars.append(raise_bar(bars, alert=f"a{number}", topic="t1", threshold=3.2, at=NOW))
    assert [bar.after for bar in bars] == [4.2, 5.2, 6.2, 6.2, 6.2]
    assert extras(bars, NOW) == {"t1": MOST}
    assert extras(bars, NOW + HALF_LIFE) == {"t1": MOST / 2}
    assert extras(bars[:1], NOW - HALF_LIFE) == {"t1": STEP}


def test_the_same_alert_called_noise_twice_counts_once() -> None:
    first = raise_bar([], alert="a", topic="t1", threshold=3.2, at=NOW)
    assert raise_bar([first], alert="a", topic="t1", threshold=3.2, at=NOW) == first
