"""What the freshness sensor remembers from tick to tick: what it asked for, what it published."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sync_assets.lib.freshness import EVER, Verdict
from sync_assets.lib.settings import AutomationSettings


@dataclass
class Memory:
    """By list, when it was last asked for and how often in vain; by check, what was published."""

    asked: dict[str, tuple[str, int]] = field(default_factory=dict)
    published: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> Memory:
        """What a cursor holds."""
        return cls(**json.loads(cursor)) if cursor else cls()

    def write(self) -> str:
        """The cursor for the next tick."""
        return json.dumps({"asked": self.asked, "published": self.published}, sort_keys=True)

    def forget_all_but(self, needed: Iterable[Verdict]) -> None:
        """Lists that need nothing any more start anew."""
        names = {_name(verdict) for verdict in needed}
        self.asked = {name: asked for name, asked in self.asked.items() if name in names}

    def may_ask(self, verdict: Verdict, settings: AutomationSettings, now: datetime) -> bool:
        """Whether a list may be asked for: not soon after it failed, or was asked for in vain.

        A run that is killed leaves no failure behind, so that asking counts as well.
        """
        at, times = self.asked.get(_name(verdict), (EVER.isoformat(), 0))
        again = datetime.fromisoformat(at) + settings.pause(times)
        return now >= max(again, verdict.retry_at)

    def knows(self, verdict: Verdict) -> bool:
        """Whether a list was ever tried, or asked for: a sensor that just began knows nothing."""
        tried = verdict.past.synced_at or verdict.failing
        return bool(tried) or _name(verdict) in self.asked

    def ask(self, verdicts: Iterable[Verdict], now: datetime) -> None:
        """Remember that lists were asked for."""
        for verdict in verdicts:
            _, times = self.asked.get(_name(verdict), ("", 0))
            self.asked[_name(verdict)] = (now.isoformat(), times + 1)


def _name(verdict: Verdict) -> str:
    return verdict.resource if verdict.parent is None else f"{verdict.resource}/{verdict.parent}"
