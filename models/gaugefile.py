"""How a gauge is kept between ticks: arrays and a head, no pickle. Indicators that changed since begin anew."""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from models.gauge import Gauge
from models.indicator import Indicator

FORMAT = 3
_BEFORE, _OTHER_SCORES = (1, 2), 1
"""What was learnt then is as good now; of campaigns it knew nothing. The first one's bar, and the episodes that it is fitted on,
are of other scores."""
_ROWS = {
    "born": 0, "m": 0, "P": 0, "spread": 0, "density": 0, "told": 1, "alpha": 1, "seen": 2, "rough": 1, "noted": 2,
    "usual": 1, "alarmed": 0, "hot": 0, "open": 1, "sums": 2, "hours": 2, "campaign": 0, "campaigned": 0,
}  # fmt: skip
"""Arrays with one place an indicator, and the axis of that."""


def pack(gauge: Gauge) -> bytes:
    """All that a gauge knows."""
    head = {
        "format": FORMAT,
        "indicators": [definition(one) for one in gauge.indicators],
        "bucket": gauge.bucket,
        "bar": gauge.bar,
        "fitted": gauge.fitted,
    }
    arrays = {name: getattr(gauge, name) for name in (*_ROWS, "episodes")}
    out = io.BytesIO()
    np.savez(out, head=np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays)
    return out.getvalue()


def unpack(body: bytes, indicators: Sequence[Indicator], per_week: float) -> Gauge:
    """The gauge that was packed, for these indicators: those that it does not know, or that are defined otherwise
    now, begin anew. Raises ValueError on a format that this version does not know."""
    with np.load(io.BytesIO(body), allow_pickle=False) as held:
        head = json.loads(held["head"].tobytes())
        if head["format"] not in (FORMAT, *_BEFORE):
            raise ValueError(f"a gauge of format {head['format']}, known is {FORMAT}")
        gauge = Gauge(indicators, per_week)
        before = {one: row for row, one in enumerate(head["indicators"])}
        kept = [(row, before[name]) for row, one in enumerate(indicators) if (name := definition(one)) in before]
        new, old = [row for row, _ in kept], [row for _, row in kept]
        for name, axis in _ROWS.items():
            if name not in held:
                continue
            place: list[slice | list[int]] = [slice(None)] * axis
            found = held[name][(*place, old)]
            known = tuple(slice(size) for size in found.shape[axis + 1 :])  # features that came later stay as at first
            getattr(gauge, name)[(*place, new, *known)] = found
        rows = dict(zip(old, new, strict=True))
        episodes = [(rows[int(row)], end, peak) for row, end, peak in held["episodes"] if int(row) in rows]
        gauge.episodes = np.array(episodes, float).reshape(-1, 3)
    gauge.bucket = head["bucket"]
    if head["format"] == _OTHER_SCORES:
        gauge.episodes, gauge.open = np.zeros((0, 3)), np.full_like(gauge.open, -np.inf)
    elif head["fitted"]:
        gauge.bar, gauge.fitted = head["bar"], True
    return gauge


def definition(indicator: Indicator) -> str:
    """What a gauge's knowledge of an indicator hangs on: not its labels, nor the lines that people draw."""
    fields = asdict(indicator)
    return json.dumps([fields[name] for name in ("name", "kind", "direction", "limit", "quantile")])
