"""Spreads the reads of lists over time, so that not all of them are due at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32

from sync_assets.base.times import EPOCH

#: Lists are due at different times, the first of them after this part of the age.
SPREAD = 0.75


def spread(age: timedelta, name: str) -> timedelta:
    """Return the part of an age after which a list is due, by its name."""
    return age * (SPREAD + (1 - SPREAD) * _place(name))


def is_turn(period: timedelta, age: timedelta, now: datetime, name: str) -> bool:
    """Return whether a list is due that is swept once in each period, at a moment of its own.

    `age` is the time since its last sweep. The moments of all lists are spread over the period. A
    list that was swept less than half a period ago waits until half a period has passed.
    """
    if age >= period or age < period / 2:
        return age >= period
    since_its_moment = (now - EPOCH - period * _place(name)) % period
    return age > since_its_moment


def _place(name: str) -> float:
    """Return a number from 0 to 1 that depends on the name alone."""
    return crc32(name.encode("utf-8", "replace")) / 2**32
