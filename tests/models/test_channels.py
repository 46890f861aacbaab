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
