"""Dagster's daemon on a clock that the test moves: schedules, sensors, and what they request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from sync_assets_tests.support.dagster_world import DagsterRuns, keys_of, resources_of


@dataclass(frozen=True)
class Requested:
    """A run: when and by whom it was requested, of what, and whether it was green."""

    at: str
    by: str
    assets: frozenset[str]
    keys: tuple[str, ...]
    success: bool


@dataclass
class Daemon:
    """Evaluates what is due at each step, and runs what is requested before the next one."""

    runs: DagsterRuns
    start: datetime
    crons: Mapping[str, range]
    step: timedelta
    elapsed: timedelta = timedelta()
    cursors: dict[str, str] = field(default_factory=dict)
    requested: list[Requested] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The time of the current step."""
        return self.start + self.elapsed

    @property
    def label(self) -> str:
        """The current step as `day hour`."""
        return f"{self.elapsed.days} {self.now:%H}"

    def play(self, days: int, hour: int = 0) -> None:
        """Go on until a day and an hour since the start, and live through that hour too."""
        until = timedelta(days=days, hours=hour)
        while self.elapsed <= until:
            for name, hours in self.crons.items():
                if self.now.hour in hours:
                    self._run(name, self.runs.schedule(name))
            for sensor in self.runs.definitions.get_repository_def().sensor_defs:
                self._tick(sensor.name)
            self.elapsed += self.step

    def below(self, key: str) -> list[tuple[str, str, bool]]:
        """When and by whom a partition was requested, and whether the run was green."""
        return [(r.at, r.by, r.success) for r in self.requested if key in r.keys]

    def _tick(self, sensor: str) -> None:
        result: Any = self.runs.tick(sensor, self.cursors.get(sensor))
        if isinstance(result, dg.SensorResult):
            if result.cursor:
                self.cursors[sensor] = result.cursor
            self._run(sensor, result.run_requests or [])

    def _run(self, by: str, requests: Sequence[dg.RunRequest]) -> None:
        for request in requests:
            run = self.runs.run_request(request)
            self.requested.append(
                Requested(
                    self.label,
                    by.removeprefix("promotions_"),
                    frozenset(resources_of(request)),
                    tuple(keys_of(request)),
                    run.success,
                )
            )
