"""The total and the channels: what swells is told once, by its narrowest name."""

import numpy as np

from models.channels import TOTAL, Channels

START = 96  # the first hour of a Monday
FORM, CHAT = 12, 30


def watched(hours: int = 24 * 21) -> tuple[Channels, int]:
    rng, channels = np.random.default_rng(6), Channels(2.0, START)
    for hour in range(START, START + hours):
        form, chat = int(rng.poisson(FORM)), int(rng.poisson(CHAT))
        channels.take(hour, form + chat, {"form": form, "chat": chat})
    channels.calibrate()
    return channels, START + hours


def test_an_outage_that_all_write_about_swells_as_a_whole() -> None:
    channels, hour = watched()
    (swell,) = channels.take(hour, 230, {"form": 60, "chat": 170})
    assert swell.channel == TOTAL
    assert swell.observed == 230 > swell.upper_bound > swell.expected


def test_where_one_channel_makes_up_the_swell_it_is_told_and_not_the_whole() -> None:
    channels, hour = watched()
    assert [one.channel for one in channels.take(hour, 150, {"form": 120, "chat": 30})] == ["form"]


def test_a_campaign_that_was_announced_excuses_a_swell() -> None:
    channels, hour = watched()
    assert channels.take(hour, 230, {"form": 60, "chat": 170}, excused=True) == ()


def test_the_day_after_a_campaign_does_not_swell_with_it() -> None:
    channels, hour = watched()
    for n in range(24):
        channels.take(hour + n, 3 * (FORM + CHAT), {"form": 3 * FORM, "chat": 3 * CHAT}, excused=True)
    after = [channels.take(hour + 24 + n, FORM + CHAT, {"form": FORM, "chat": CHAT}) for n in range(24)]
    assert after == [()] * 24


def test_what_stays_twice_as_much_is_told_until_it_is_the_new_normal() -> None:
    channels, hour = watched()
    told = [channels.take(hour + n, 2 * (FORM + CHAT), {"form": 2 * FORM, "chat": 2 * CHAT}) for n in range(24 * 4)]
    assert any(told[:12])
    assert not any(told[-24:])
    assert all(one.observed > max(one.upper_bound, one.expected) for swells in told for one in swells)


def test_nothing_swells_before_a_week_was_watched() -> None:
    channels, hour = watched(24 * 6)
    assert channels.take(hour, 230, {"form": 60, "chat": 170}) == ()


def test_a_usual_hour_is_no_swell() -> None:
    channels, hour = watched()
    assert channels.take(hour, FORM + CHAT, {"form": FORM, "chat": CHAT}) == ()


def test_a_channel_that_opens_is_no_swell_in_its_first_hours() -> None:
    channels, hour = watched()
    opened = [channels.take(hour + n, FORM + CHAT, {"form": FORM, "chat": CHAT - 9, "app": 9}) for n in range(6)]
    assert opened == [()] * 6


def test_stopping_and_going_on_tells_the_same() -> None:
    channels, hour = watched(24 * 8)
    again = Channels.unpack(channels.pack())
    for swollen in ({"form": 60, "chat": 170}, {"form": FORM, "chat": CHAT}, {"form": 90}):
        assert channels.take(hour, sum(swollen.values()), swollen) == again.take(hour, sum(swollen.values()), swollen)
        hour += 1


def test_when_nobody_writes_at_all_it_is_told_until_somebody_does() -> None:
    channels, hour = watched()
    assert channels.hush is None
    told = []
    for n in range(6):
        assert channels.take(hour + n, 0, {}) == ()
        told.append(channels.hush)
    assert told[0] is not None and told[0].last == hour - 1
    assert told[5] is not None and told[5].last == hour - 1
    channels = Channels.unpack(channels.pack())
    after = [channels.take(hour + 6 + n, FORM + CHAT, {"form": FORM, "chat": CHAT}) for n in range(24)]
    assert channels.hush is None
    assert after == [()] * 24, "nothing was learnt of the silence"


def test_a_silence_as_long_as_every_night_is_no_news() -> None:
    rng, channels = np.random.default_rng(6), Channels(2.0, START)
    told = []
    for hour in range(START, START + 24 * 21):
        form = int(rng.poisson(FORM)) if hour % 24 in range(8, 20) and (hour - START) // 24 % 7 < 6 else 0
        channels.take(hour, form, {"form": form} if form else {})
        told.append(channels.hush)
    assert not any(told), "shut at night and on Sundays"


def test_hours_in_which_nobody_listened_are_no_silence() -> None:
    channels, hour = watched()
    for n in range(12):
        channels.take(hour + n, 0, {}, excused=True)
    assert channels.hush is None
