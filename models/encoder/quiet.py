"""Calls into libraries that talk about themselves."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Without their deprecations, their progress bars, and their hints on the root logger."""
    from transformers.utils import logging as transformers_logging

    level = logging.getLogger().level
    bars = transformers_logging.is_progress_bar_enabled()
    logging.getLogger().setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.getLogger().setLevel(level)
        if bars:
            transformers_logging.enable_progress_bar()
