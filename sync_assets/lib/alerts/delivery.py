"""Delivering messages: each address by itself, every part once, in a bounded time.

What an address did not take it is owed. Of a message that was begun these are the parts that are
missing, of one that was not its lines, told with the next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sync_assets.base.errors import SyncError
from sync_assets.lib.alerts.channels import Channel, Trouble
from sync_assets.lib.alerts.messages import News, Part, halves, message_of, parts_of
from sync_assets.lib.cursors import items, mapping, whole

#: Seconds for all addresses of a tick, which Dagster ends after 60.
AT_MOST = 20.0
LINES = 100
#: How often in a row a message is refused before it is given up.
TRIES = 3
#: The addresses that are still being told, by what messages call them.
_BUSY: dict[str, threading.Thread] = {}


class DeliveryError(SyncError):
    """Nobody could be told; names the addresses by their positions."""


@dataclass(frozen=True)
class Owed:
    """What an address has not been told: the rest of a message, further lines, tries in vain."""

    lines: list[News] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    tries: int = 0

    @classmethod
    def read(cls, value: Any) -> Owed:
        """What a cursor holds; earlier versions held lines alone."""
        data = {"lines": value} if isinstance(value, list) else mapping(value)
        lines = [[one, True] if isinstance(one, str) else one for one in items(data.get("lines"))]
        return cls(
            [News(str(one[0]), bool(one[1])) for one in lines if _is_list_of(one, 2)],
            [Part(str(one[0]), str(one[1]), bool(one[2]))
             for one in items(data.get("parts")) if _is_list_of(one, 3)],
            whole(data.get("tries")),
        )  # fmt: skip

    def write(self) -> dict[str, Any]:
        """As the cursor holds it."""
        return {"lines": self.lines, "parts": self.parts, "tries": self.tries}

    def __bool__(self) -> bool:
        return bool(self.lines or self.parts)


@dataclass
class Delivery:
    """One address in a tick: what it is owed after it, what went wrong, whether it took a part."""

    address: Channel
    owed: Owed
    trouble: Trouble | None = None
    took: bool = False

    def run(self, until: float) -> None:
        """Send part by part until one is not taken, or the time is over."""
        while self.owed and time.monotonic() < until:
            owed = self.owed
            if not owed.parts:
                message = message_of(owed.lines)
                owed = replace(owed, lines=[], parts=parts_of(message, self.address.room))
            self.trouble = self._send(owed)
            if self.trouble is not None:
                return

    def _send(self, owed: Owed) -> Trouble | None:
        trouble = self.address.send(owed.parts[0])
        if trouble is None:
            self.owed = Owed(owed.lines, owed.parts[1:])
            self.took = True
            return None
        shorter = halves(owed.parts[0])
        if trouble.too_long and len(shorter) > 1:
            self.owed = Owed(owed.lines, [*shorter, *owed.parts[1:]])
            return None
        self.owed = Owed(self.owed.lines, self.owed.parts, self.owed.tries + 1)
        if trouble.refused and self.owed.tries >= TRIES:
            self.owed = Owed(owed.lines)
            return Trouble(f"{trouble.told}: a message was given up", trouble.status)
        return trouble


def deliver(
    whom: Sequence[Channel], owed: Mapping[int, Owed], news: Sequence[News]
) -> tuple[dict[int, Owed], list[str]]:
    """Tell each address the news and what it is owed; what is owed then, and what went wrong.

    Raises `DeliveryError` where nobody took anything but may later: then nothing is told.
    """
    deliveries = {}
    for position, address in enumerate(whom, 1):
        before = owed.get(position, Owed())
        theirs = replace(before, lines=[*before.lines, *news][-LINES:])
        if theirs:
            deliveries[position] = Delivery(address, theirs)
    ended = dict(zip(deliveries, _all_at_once(list(deliveries.values())), strict=True))
    troubles = [one.trouble for one in ended.values() if one.trouble]
    may_later = not any(one.took for one in ended.values()) and not any(
        trouble.refused for trouble in troubles
    )
    if ended and len(troubles) == len(ended) and may_later:
        told = "; ".join(trouble.told for trouble in troubles)
        raise DeliveryError(f"{told}. The next tick tries again.")
    return (
        {position: one.owed for position, one in ended.items() if one.owed},
        [trouble.told for trouble in troubles],
    )


def _all_at_once(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """How deliveries that run side by side stand when all are done, or the time is over."""
    until = time.monotonic() + AT_MOST
    for one in deliveries:
        name = one.address.name
        if name in _BUSY and _BUSY[name].is_alive():
            one.trouble = Trouble(f"{name} has not answered since an earlier tick")
            continue
        _BUSY[name] = threading.Thread(target=one.run, args=(until,), daemon=True)
        _BUSY[name].start()
    ended = []
    for one in deliveries:
        thread = _BUSY[one.address.name]
        if one.trouble is None:
            thread.join(max(0.0, until - time.monotonic()))
        late = thread.is_alive() and one.trouble is None
        end = replace(one)  # whoever answers later changes the other
        if late:
            end.trouble = Trouble(f"{one.address.name} did not answer within {AT_MOST:.0f} s")
        ended.append(end)
    return ended


def _is_list_of(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length
