"""Reads how many requests a response says are left, and until when; see also `retry_after`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sync_assets.sources.rest.http.retry_after import REMAINING, RESETS, clock, first, numbers

LIMITS = ("X-RateLimit-Limit", "X-Rate-Limit-Limit", "RateLimit-Limit")
#: A policy of the one field of the IETF draft: `"default";r=50;t=30`, or `remaining=50, reset=30`.
_REMAINING = re.compile(r"(?:^|[;,\s])(?:r|remaining)\s*=\s*(\d{1,12})", re.I | re.A)
_RESET = re.compile(r"(?:^|[;,\s])(?:t|reset)\s*=\s*(\d{1,12})", re.I | re.A)
_LIMIT = re.compile(r"(?:^|[;,\s])limit\s*=\s*(\d{1,12})", re.I | re.A)
#: Seconds. A reset in whole seconds may name a second too few.
ROUNDING_SECONDS = 1.0


@dataclass(frozen=True)
class Left:
    """The requests left for so many seconds, out of `limit` in all, if known.

    `seconds` is None if the response does not say when the count starts again.
    """

    requests: int
    seconds: float | None = None
    limit: int | None = None


def said_left(headers: Mapping[str, str]) -> Left | None:
    """Return what a response says is left; None if it says nothing or the window is over."""
    found = [number for name in REMAINING for number in numbers(headers.get(name, ""))]
    found = [number for number in found if 0 <= number < 1e12]
    if not found:
        return _of_policies(headers.get("RateLimit", ""))
    now = clock(headers)
    resets = [reset for name in RESETS if (reset := first(headers, name, now)) is not None]
    limits = [number for name in LIMITS for number in numbers(headers.get(name, ""))]
    limit = min((int(number) for number in limits if 1 <= number < 1e12), default=None)
    if not resets:
        return Left(int(min(found)), None, limit)
    return Left(int(min(found)), resets[0] + ROUNDING_SECONDS, limit) if resets[0] > 0 else None


def _of_policies(text: str) -> Left | None:
    """Return the policy with the fewest requests left; commas separate policies."""
    parts = [text] if "remaining" in text.lower() else text.split(",")
    policies = [_of_policy(part) for part in parts]
    return min((one for one in policies if one), key=lambda one: one.requests, default=None)


def _of_policy(text: str) -> Left | None:
    left, reset, limit = (name.search(text) for name in (_REMAINING, _RESET, _LIMIT))
    if left is None:
        return None
    seconds = int(reset[1]) + ROUNDING_SECONDS if reset else None
    return Left(int(left[1]), seconds, int(limit[1]) if limit else None)
