"""Tracks how records differ from the declaration: undeclared fields and missing ones, with dates.

A sync reports a change once, compared with what was known before. A difference that disappears
stays known for 30 days. So a new field that returns is not reported again; a field that is missing
again is reported once more, and then known as one that comes and goes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from sync_assets.base.times import EVER, parse_time, shifted

NEW, MISSING, DATES = KINDS = ("new", "missing", "dates")
FORGOTTEN_AFTER = timedelta(days=30)
MOST = 500
#: How often a difference that comes and goes is reported.
MOST_REPORTS = {NEW: 1, MISSING: 2, DATES: 2}


class Seen(NamedTuple):
    """When a difference was last seen, since when it is known, and how often it came."""

    last: datetime
    since: datetime
    came: int


#: What is known, by kind and field.
Known: TypeAlias = "dict[str, dict[str, Seen]]"


@dataclass(frozen=True)
class Differences:
    """How the records of one list, when last read, differ from the declaration."""

    rows: int
    over: bool
    new: frozenset[str]
    missing: frozenset[str]


def differences(lists: Collection[Differences]) -> dict[str, frozenset[str]]:
    """Combine lists: fields that are new in any list, or missing in all that may change."""
    filled = [one for one in lists if one.rows]
    changing = [one for one in filled if not one.over] or filled
    return {
        NEW: frozenset().union(*(one.new for one in filled)),
        MISSING: frozenset.intersection(*(one.missing for one in changing))
        if changing
        else frozenset(),
    }


def known(texts: Iterable[str | None]) -> Known:
    """Combine what the lists of a resource have stored: for each field, what was seen last."""
    found: Known = {kind: {} for kind in KINDS}
    for text in set(texts):
        for kind, fields in _read(text).items():
            for field, seen in fields.items():
                found[kind][field] = max(seen, found[kind].get(field, seen))
    return found


def learned(
    stored: Known,
    before: Mapping[str, frozenset[str]],
    present: Mapping[str, frozenset[str]],
    now: datetime,
) -> str:
    """Return the JSON to store; a field keeps its first date if it was known before or recently."""
    after: dict[str, dict[str, tuple[str, str, int]]] = {}
    for kind in KINDS:
        was = before.get(kind, frozenset())
        fields = {
            field: seen
            for field, seen in stored[kind].items()
            if field in was or now <= shifted(seen.last, FORGOTTEN_AFTER)
        }
        for field in present.get(kind, ()):
            old = fields.get(field, Seen(EVER, EVER, 1) if field in was else Seen(now, now, 0))
            again = field not in was
            since = now if again and old.came < MOST_REPORTS[kind] else old.since
            fields[field] = Seen(now, since, old.came + again)
        newest = sorted(fields.items(), key=lambda item: item[1])[-MOST:]
        after[kind] = {f: (s.last.isoformat(), s.since.isoformat(), s.came) for f, s in newest}
    return json.dumps(after, sort_keys=True)


def seen_at(stored: Known, kind: str, when: datetime) -> frozenset[str]:
    """Return the fields of a kind that were last seen at this time."""
    return frozenset(field for field, seen in stored[kind].items() if seen.last == when)


@lru_cache  # the lists of one sync remember the same
def _read(text: str | None) -> Known:
    try:
        stored = json.loads(text) if text else {}
        return {
            kind: {field: _seen(seen) for field, seen in stored.get(kind, {}).items()}
            for kind in KINDS
        }
    except (ValueError, AttributeError, TypeError):  # edited by hand, or of another version
        return {}


def _seen(seen: Any) -> Seen:
    last, since, came = seen
    return Seen(parse_time(last) or EVER, parse_time(since) or EVER, int(came))
