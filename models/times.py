"""Times as people and programs write them."""

from datetime import UTC, datetime, timedelta, timezone

EXAMPLE = "2025-03-03T08:05:00+08:00"
"""How to write a time, for whoever wrote one that cannot be read."""


def parse_time(text: str, default_zone: timedelta = timedelta(0)) -> datetime:
    """A time as senders write it (ISO 8601, or seconds since 1970); without a zone it is taken as UTC.

    >>> parse_time("2025-03-03T00:28:32Z").isoformat()
    '2025-03-03T00:28:32+00:00'
    >>> parse_time("2025/3/3 8:05").isoformat()
    '2025-03-03T08:05:00+00:00'
    """
    text = text.strip()
    zone = UTC if not default_zone else timezone(default_zone)
    if text.replace(".", "", 1).isdigit() and len(text) >= 9:
        seconds = float(text)
        try:
            return datetime.fromtimestamp(seconds / 1_000 if seconds > 1e11 else seconds, tz=UTC)
        except (OverflowError, OSError):
            raise ValueError(f"lies beyond the year 9999; write it as {EXAMPLE}") from None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = _loose(text)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _loose(text: str) -> datetime:
    for pattern in ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日"):
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    raise ValueError(f"no time that we can read; write it as {EXAMPLE}")
