"""The clock, and times as the APIs send them."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> datetime:
    """The time; the one place that asks for it, so that a test may move it."""
    return datetime.now(timezone.utc)


def moment(text: str | None) -> datetime | None:
    """The moment of an ISO 8601 text, UTC where it names no zone; None where it is none."""
    try:
        parsed = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
