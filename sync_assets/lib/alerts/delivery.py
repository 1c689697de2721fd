"""Delivers messages: to each channel separately, each part once, within a limited time.

What a channel did not accept is kept for it: the parts that are missing of a message that was
begun, and the lines of all others, which the next message contains.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sync_assets.base.errors import SyncError
from sync_assets.lib.alerts.channels import Channel, Trouble
from sync_assets.lib.alerts.messages import Change, Part, halves, message_of, parts_of
from sync_assets.lib.cursors import items, mapping, whole

#: For all channels of a tick, which Dagster ends after 60.
TIMEOUT_SECONDS = 20.0
LINES = 100
#: How often in a row a message is refused before it is given up.
TRIES = 3
#: The channels whose delivery still runs, by their names in messages.
_BUSY: dict[str, threading.Thread] = {}


class DeliveryError(SyncError):
    """No channel could be reached; the message names their positions."""


@dataclass(frozen=True)
class Undelivered:
    """What a channel has not received: parts of a message, further lines, and the failed tries."""

    lines: list[Change] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    tries: int = 0

    @classmethod
    def read(cls, value: Any) -> Undelivered:
        """Read what a cursor holds; those of earlier versions hold only lines."""
        data = {"lines": value} if isinstance(value, list) else mapping(value)
        lines = [[one, True] if isinstance(one, str) else one for one in items(data.get("lines"))]
        return cls(
            [Change(str(one[0]), bool(one[1])) for one in lines if _is_list_of(one, 2)],
            [Part(str(one[0]), str(one[1]), bool(one[2]))
             for one in items(data.get("parts")) if _is_list_of(one, 3)],
            whole(data.get("tries")),
        )  # fmt: skip

    def write(self) -> dict[str, Any]:
        """Return it as the cursor holds it."""
        return {"lines": self.lines, "parts": self.parts, "tries": self.tries}

    def __bool__(self) -> bool:
        return bool(self.lines or self.parts)


@dataclass
class Delivery:
    """A delivery to one channel in a tick: what is left, what went wrong, and if a part arrived."""

    channel: Channel
    rest: Undelivered
    trouble: Trouble | None = None
    took: bool = False

    def run(self, until: float) -> None:
        """Send part by part until one is not accepted or the time is over."""
        while self.rest and time.monotonic() < until:
            rest = self.rest
            if not rest.parts:
                message = message_of(rest.lines)
                rest = replace(rest, lines=[], parts=parts_of(message, self.channel.room))
            self.trouble = self._send(rest)
            if self.trouble is not None:
                return

    def _send(self, rest: Undelivered) -> Trouble | None:
        trouble = self.channel.send(rest.parts[0])
        if trouble is None:
            self.rest = Undelivered(rest.lines, rest.parts[1:])
            self.took = True
            return None
        shorter = halves(rest.parts[0])
        if trouble.too_long and len(shorter) > 1:
            self.rest = Undelivered(rest.lines, [*shorter, *rest.parts[1:]])
            return None
        self.rest = replace(self.rest, tries=self.rest.tries + 1)
        if trouble.refused and self.rest.tries >= TRIES:
            self.rest = Undelivered(rest.lines)
            return Trouble(f"{trouble.message}: a message was dropped", trouble.status)
        return trouble


def deliver(
    channels: Sequence[Channel], undelivered: Mapping[int, Undelivered], changes: Sequence[Change]
) -> tuple[dict[int, Undelivered], list[str]]:
    """Send the changes to each channel, after what it has not received yet.

    `undelivered` is by the position of the channel, from 1. Returns what is left by position, and
    what went wrong. Raises `DeliveryError` if no channel accepted anything but one may do so
    later: then nothing is changed.
    """
    deliveries = {}
    for position, channel in enumerate(channels, 1):
        before = undelivered.get(position, Undelivered())
        theirs = replace(before, lines=[*before.lines, *changes][-LINES:])
        if theirs:
            deliveries[position] = Delivery(channel, theirs)
    ended = dict(zip(deliveries, _all_at_once(list(deliveries.values())), strict=True))
    troubles = [one.trouble for one in ended.values() if one.trouble]
    may_later = not any(one.took for one in ended.values()) and not any(
        trouble.refused for trouble in troubles
    )
    if ended and len(troubles) == len(ended) and may_later:
        messages = "; ".join(trouble.message for trouble in troubles)
        raise DeliveryError(f"{messages}. The next tick tries again.")
    return (
        {position: one.rest for position, one in ended.items() if one.rest},
        [trouble.message for trouble in troubles],
    )


def _all_at_once(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Run deliveries in parallel; return their state when all are done or the time is over."""
    until = time.monotonic() + TIMEOUT_SECONDS
    for one in deliveries:
        name = one.channel.name
        if name in _BUSY and _BUSY[name].is_alive():
            one.trouble = Trouble(f"{name} has not answered since an earlier tick")
            continue
        _BUSY[name] = threading.Thread(target=one.run, args=(until,), daemon=True)
        _BUSY[name].start()
    ended = []
    for one in deliveries:
        thread = _BUSY[one.channel.name]
        if one.trouble is None:
            thread.join(max(0.0, until - time.monotonic()))
        late = thread.is_alive() and one.trouble is None
        end = replace(one)  # whoever answers later changes the other
        if late:
            end.trouble = Trouble(
                f"{one.channel.name} did not answer within {TIMEOUT_SECONDS:.0f} s"
            )
        ended.append(end)
    return ended


def _is_list_of(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length
