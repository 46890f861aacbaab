"""Memory given back to the machine."""

import gc
from pathlib import Path

import numpy as np

from service.memory import give_back, settle

_PIECE, _PIECES = 8_000, 8_000  # bytes, and how many: 64 MB in pieces too small to be mapped one by one


def test_what_was_freed_below_what_is_still_in_use_goes_back_to_the_machine() -> None:
    held = [np.ones(_PIECE, np.uint8) for _ in range(_PIECES)]
    kept = held[::100]
    held.clear()
    before = _resident()
    assert give_back()
    assert before - _resident() > _PIECE * _PIECES / 2
    assert len(kept) == _PIECES / 100


def test_what_is_loaded_is_looked_through_no_more_and_what_comes_later_is() -> None:
    loaded: list[list[int]] = [[]]
    try:
        settle()
        later: list[list[int]] = [[]]
        looked_through = {id(one) for one in gc.get_objects()}
        assert id(loaded) not in looked_through
        assert id(later) in looked_through
    finally:
        gc.unfreeze()


def _resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) * 1_024
