"""Times as the APIs write them."""

from datetime import datetime, timezone
from functools import lru_cache

TimeObject = dict[str, str | int]


def iso(unix: int) -> str:
    """Write a time as the promotions API does."""
    return datetime.fromtimestamp(unix, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=4096)
def _time_fields(unix: int) -> TimeObject:
    instant = datetime.fromtimestamp(unix, timezone.utc)
    return {
        "date": instant.strftime("%Y-%m-%d"),
        "formatted": f"{instant:%a} {instant.day} {instant:%b %Y} {instant:%I:%M %p}",
        "iso": iso(unix),
        "time": instant.strftime("%H:%M"),
        "timezone": "+00:00",
        "unix": unix,
    }


def time_object(unix: int) -> TimeObject:
    """Write a time as the events API does where it sends an object."""
    return _time_fields(unix).copy()
