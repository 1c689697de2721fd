"""Dagster's default run launcher, which also notices a run whose process is gone.

Dagster's own has no health check: after kill -9 of the code server, or a power cut, a run stays
"started" until `max_runtime_seconds`, and cannot be terminated (1.13.27).
"""

from __future__ import annotations

import os
import signal
from typing import Any

import dagster as dg

from sync_assets.lib.instance.run_process import RunProcess


class LocalRunLauncher(dg.DefaultRunLauncher):
    """Starts each run as a process beside the code server, and tells run monitoring if it lives."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask this launcher."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> Any:
        """Return whether the process of a run lives; one on another machine counts as alive."""
        from dagster._core.launcher import CheckRunHealthResult, WorkerStatus  # read in 1.13.27

        process = RunProcess.of_run(run.run_id, run.tags)
        if process is None or not process.is_here or process.is_alive:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        message = f"The process of the run ({process.pid}) is gone."
        return CheckRunHealthResult(WorkerStatus.FAILED, message)

    def terminate(self, run_id: str) -> bool:
        """Terminate a run, by its process if the code server that started it is gone.

        Raises what Dagster raises if the process is unknown or on another machine.
        """
        try:
            if super().terminate(run_id):  # type: ignore[no-untyped-call]
                return True
        except dg.DagsterError:  # nobody listens where the code server was
            if self._process(run_id) is None:
                raise
        process = self._process(run_id)
        if process is None:
            return False
        if process.is_alive:
            os.kill(process.pid, signal.SIGINT)  # as the code server does
        elif run := self._instance.get_run_by_id(run_id):
            self._instance.report_run_canceled(run)
        return True

    def _process(self, run_id: str) -> RunProcess | None:
        """Return the process of a run that has not ended, if it is on this machine."""
        run = self._instance.get_run_by_id(run_id)
        process = RunProcess.of_run(run.run_id, run.tags) if run and not run.is_finished else None
        return process if process and process.is_here else None
