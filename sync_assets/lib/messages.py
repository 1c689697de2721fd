"""How an alert reads: a line for each reason, which names all that it is the reason of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from sync_assets.lib.failed_runs import List
from sync_assets.lib.keys import in_order

FAILED = "failed: "
LINES = 20
NAMES = 10
Incident: TypeAlias = "List | str"  # a list that failed; a check, sensor, schedule or run


def lines_of(
    failed: Mapping[Incident, str], recovered: Collection[Incident], gone: Collection[Incident]
) -> list[str]:
    """The news in lines: what failed by its reason, then what is over."""
    by_reason: dict[str, list[Incident]] = defaultdict(list)
    for what, why in failed.items():
        by_reason[why].append(what)
    lines = [f"{FAILED}{named(whats)}\n  {why}" for why, whats in by_reason.items()]
    for word, whats in {"recovered": recovered, "no longer exists": gone}.items():
        lines += [f"{word}: {named(whats)}"] if whats else []
    return lines


def message_of(lines: Sequence[str]) -> tuple[str, str]:
    """Title and body of a message: the title is the first line's start."""
    more, rest = len(lines) - 1, len(lines) - LINES
    title = f"sync_assets {lines[0].splitlines()[0]}" + (f" and {more} more" if more else "")
    return title, "\n".join([*lines[:LINES], *([f"and {rest} more"] if rest > 0 else [])])


def named(incidents: Iterable[Incident]) -> str:
    """Incidents in a line: `promotions/users (42, 43), check fresh of promotions/stages`."""
    keys: dict[str, list[str]] = defaultdict(list)
    for what in incidents:
        asset, key = (what, None) if isinstance(what, str) else what
        keys[asset].extend([] if key is None else [key])
    return _some(
        [
            f"{asset} ({_some(in_order(found))})" if found else asset
            for asset, found in sorted(keys.items())
        ]
    )


def _some(items: list[str]) -> str:
    rest = len(items) - NAMES
    return ", ".join(items[:NAMES]) + (f" and {rest:,} more" if rest > 0 else "")
