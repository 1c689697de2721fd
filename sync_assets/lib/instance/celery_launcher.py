"""Dagster's Celery run launcher, which also notices that a worker is gone, and cancels runs.

Dagster's own asks only Celery's result backend. There the task of a killed worker stays "started"
for ever, and a task that could not report because its database was away is a "success".
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster_celery import launcher

from sync_assets.lib.instance.fallback import or_dagsters_own

LOOKS = 2
WORKER_TIMEOUT_SECONDS = 10.0


class CeleryRunLauncher(launcher.CeleryRunLauncher):
    """Starts runs as Celery tasks; a run whose worker is gone fails, so that Dagster retries it."""

    _task_tag: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        with or_dagsters_own("Celery run launcher"):
            from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

            self.celery.backend.get_task_meta  # noqa: B018 - raises where there is none
            self._task_tag = DAGSTER_CELERY_TASK_ID_TAG

    def terminate(self, run_id: str) -> bool:
        """Cancel a run. Dagster's own launcher lets it fail, so that it is retried (1.13.27)."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        task = run.tags.get(self._task_tag or "")
        if task is not None:
            begun = self.celery.AsyncResult(task).state != "PENDING"
            if super().terminate(run_id) and begun:
                return True
        self._instance.report_run_canceled(run)  # no worker will
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> Any:
        """Return whether a worker executes a run that has started and not ended."""
        from dagster._core.launcher import CheckRunHealthResult, WorkerStatus  # read in 1.13.27

        if self._task_tag is None:
            return super().check_run_worker_health(run)
        task = run.tags.get(self._task_tag)
        if task is None:  # the daemon died before it could note it
            return CheckRunHealthResult(WorkerStatus.UNKNOWN, "The run's Celery task is unknown.")
        found = super().check_run_worker_health(run)
        if found.status == WorkerStatus.SUCCESS:
            return CheckRunHealthResult(
                WorkerStatus.FAILED,
                "The worker ended the run but could not report its result.",
            )
        if found.status != WorkerStatus.RUNNING:
            return found
        known: Any = self.celery.backend.get_task_meta(task)
        if known["status"] == "STARTED":  # else it ended since, and the next look tells how
            worker = known["result"]["hostname"]
            if not self._is_busy(worker, task):
                message = f"The Celery worker {worker} no longer executes the run."
                return CheckRunHealthResult(WorkerStatus.FAILED, message)
        return found

    def _is_busy(self, worker: str, task: str) -> bool:
        for _ in range(LOOKS):
            asked = self.celery.control.inspect([worker], timeout=WORKER_TIMEOUT_SECONDS, limit=1)
            if (tasks := asked.active()) is not None:
                return task in [one["id"] for one in tasks[worker]]
        return False
