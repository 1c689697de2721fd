"""The text of an alert: one line for each reason, which names everything that failed for it.

A message is split into parts of the size that a service accepts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sync_assets.base.enumeration import some
from sync_assets.lib.alerts.run_lists import List
from sync_assets.lib.keys import in_order

LINES = 20
NAMES = 10
SHORTEST = 200
Incident: TypeAlias = "List | str"  # a list that failed; a check, sensor, schedule or run


class Change(NamedTuple):
    """One change in an alert: its text of one or two lines, and whether something got worse."""

    text: str
    bad: bool


class Part(NamedTuple):
    """A part of a message, as a service receives it."""

    title: str
    body: str
    bad: bool


class Room(NamedTuple):
    """How many characters of title and body, and how many lines, a service accepts at once.

    0 lines means any number. If the title is 0, it is put into the body.
    """

    title: int
    body: int
    lines: int = 0


@dataclass(frozen=True)
class Situation:
    """What is wrong at a tick.

    `open` are the incidents. `reasons` are those of everything that failed since the last tick,
    even if it passes again, and of failed runs without an asset. `exists` is what may still
    recover.
    """

    open: Collection[Incident]
    reasons: Mapping[Incident, str]
    exists: Collection[Incident]


def diff(before: Collection[Incident], now: Situation) -> list[Change]:
    """Return what changed since the incidents `before`: new failures by reason, then what ended."""
    by_reason: dict[str, list[Incident]] = defaultdict(list)
    for what, why in now.reasons.items():
        if what not in before:
            by_reason[why].append(what)
    over = {*before, *(what for what in now.reasons if what in now.exists)} - set(now.open)
    ends = {
        "recovered": [what for what in over if what in now.exists],
        "no longer exists": [what for what in over if what not in now.exists],
    }
    return [
        *(Change(f"failed: {named(whats)}\n  {why}", bad=True) for why, whats in by_reason.items()),
        *(Change(f"{word}: {named(whats)}", bad=False) for word, whats in ends.items() if whats),
    ]


def message_of(changes: Sequence[Change]) -> Part:
    """Return the whole message; its title is the beginning of its first line."""
    lines = [change.text for change in changes]
    more, rest = len(lines) - 1, len(lines) - LINES
    title = f"sync_assets {lines[0].splitlines()[0]}" + (f" and {more} more" if more else "")
    body = "\n".join([*lines[:LINES], *([f"and {rest} more"] if rest > 0 else [])])
    return Part(title, body, any(change.bad for change in changes))


def parts_of(message: Part, room: Room) -> list[Part]:
    """Split a message into parts that fit, between lines if possible; nothing is left out."""
    if not room.title:
        pieces = _pieces(f"{message.title}\n{message.body}", room)
        return [Part("", piece, message.bad) for piece in pieces]
    pieces = _pieces(message.body, room)
    count = len(pieces)
    marks = [f" ({n}/{count})" if count > 1 else "" for n in range(1, count + 1)]
    return [
        Part(f"{message.title[: max(0, room.title - len(mark))]}{mark}"[: room.title], piece,
             message.bad)
        for mark, piece in zip(marks, pieces, strict=True)
    ]  # fmt: skip


def halves(part: Part) -> list[Part]:
    """Split a part that was refused into two shorter ones; a short part stays as it is."""
    if len(part.body) < SHORTEST:
        return [part]
    return parts_of(part, Room(max(1, len(part.title)), -(-len(part.body) // 2)))


def _pieces(text: str, room: Room) -> list[str]:
    pieces: list[list[str]] = [[]]
    for line in text.splitlines():
        for start in range(0, max(1, len(line)), room.body):
            piece = line[start : start + room.body]
            full = len("\n".join([*pieces[-1], piece])) > room.body
            if pieces[-1] and (full or len(pieces[-1]) == room.lines):
                pieces.append([])
            pieces[-1].append(piece)
    return [piece for lines in pieces if (piece := "\n".join(lines)).strip()]


def named(incidents: Iterable[Incident]) -> str:
    """Name incidents in one line: `promotions/users (42, 43), check fresh of promotions/stages`."""
    keys: dict[str, list[str]] = defaultdict(list)
    for what in incidents:
        asset, key = (what, None) if isinstance(what, str) else what
        keys[asset].extend([] if key is None else [key])
    return some(
        [
            f"{asset} ({some(in_order(found), NAMES)})" if found else asset
            for asset, found in sorted(keys.items())
        ],
        NAMES,
    )
