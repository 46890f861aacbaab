"""The indicators' file: a few lines an indicator, TOML or YAML; a mistake is one clear line."""

from pathlib import Path

import pytest

from models.indicator import Direction, Kind
from service.errors import Refused
from service.pipeline.indicators import read_indicators

OWN = """
[refund_time]
kind = "quantile"
quantile = 0.9
unit = "h"
start = 48
labels = { en = "Refund time", zh = "退款时长" }

[waiting_time]
start = 0.3
ceiling = 0.5
"""


def test_ones_own_stand_beside_the_ready_made_ones_and_may_change_them(tmp_path: Path) -> None:
    path = tmp_path / "indicators.toml"
    path.write_text(OWN, encoding="utf-8")
    found = read_indicators(path)
    assert (found["refund_time"].kind, found["refund_time"].labels["zh"]) == (Kind.quantile, "退款时长")
    assert (found["waiting_time"].limit, found["waiting_time"].start, found["waiting_time"].ceiling) == (15.0, 0.3, 0.5)
    assert found["satisfaction"].direction is Direction.down
    assert set(read_indicators(None)) == set(found) - {"refund_time"}


def test_yaml_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "indicators.yaml"
    path.write_text("late_parcels: {kind: share, limit: 3, unit: d}\n", encoding="utf-8")
    assert read_indicators(path)["late_parcels"].labels == {"en": "late_parcels"}


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("[x]\nkind = 'share'", "limit"),
        ("[x]\nlimit = 3", "kind"),
        ("[x]\nkind = 'shar'", "x.kind"),
        ("[x]\nkind = 'mean'\ncieling = 3", "cieling"),
        ("['Bad Name']\nkind = 'mean'", "small letters"),
        ("[waiting_time]\nceiling = 0.1\nfloor = 0.2", "floor"),
        ("[x]\nkind = 'mean'\nunit = 'kg'\ncost = 'time'", "cost"),
        ("[x]\nkind = 'mean'\nunit = 'min'\ncost = 'ticket'", "cost"),
        ("x = ", "cannot be read"),
    ],
)
def test_a_mistake_is_one_clear_line(written: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "indicators.toml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(Refused, match="TOCSIN_INDICATORS") as error:
        read_indicators(path)
    assert word in str(error.value) and "\n" not in str(error.value)
