"""The settings: what one process tells another is what that one reads."""

from datetime import timedelta
from pathlib import Path

import pytest

from service.settings import Settings, environment_of, load_settings


@pytest.mark.parametrize("span", [timedelta(days=30), timedelta(days=4_000), timedelta(milliseconds=1), timedelta(0)])
def test_another_process_reads_the_same_spans(span: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    given = load_settings(discover_every=span, data_dir=Path("data"))
    for name, value in environment_of(given).items():
        monkeypatch.setenv(name, value)
    assert load_settings().discover_every == span


def test_another_process_reads_the_same_addresses_of_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    given = load_settings(encoder="http://one:8765, http://two:8765")
    for name, value in environment_of(given).items():
        monkeypatch.setenv(name, value)
    assert load_settings().encoder_urls == given.encoder_urls == ("http://one:8765", "http://two:8765")


def test_a_folder_or_a_hub_id_is_no_pool() -> None:
    assert [Settings(encoder=name).encoder_urls for name in (None, "models/e5", "intfloat/multilingual-e5-small")] == [
        (),
        (),
        (),
    ]
