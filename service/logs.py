"""Logs: one line of JSON an event, on standard error. Never a text, a customer or a key."""

import logging
import sys
from typing import Any

import structlog

log: Any = structlog.get_logger("tocsin")


def set_up_logs(level: str, role: str) -> None:
    """Send logs to standard error as JSON; called once, by a command."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(role=role)
