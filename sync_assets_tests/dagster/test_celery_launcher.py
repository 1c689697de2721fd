"""Whether a run's worker is still there, as run monitoring asks the launcher."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import dagster_celery.launcher
import pytest
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

from sync_assets.lib.instance import celery_launcher

CELERY = {
    "module": "sync_assets.lib.instance.celery_launcher",
    "class": "CeleryRunLauncher",
    "config": {"broker": "memory://", "backend": "cache+memory://"},
}


@pytest.fixture
def launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[celery_launcher.CeleryRunLauncher]:
    """The launcher of an instance, whose broker and backend live in this process."""
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    monkeypatch.delenv("CELERY_RESULT_BACKEND", raising=False)
    monkeypatch.setattr(celery_launcher, "WORKER_TIMEOUT_SECONDS", 0.05)
    with dg.DagsterInstance.local_temp(str(tmp_path), {"run_launcher": CELERY}) as instance:
        made: Any = instance.run_launcher
        yield made


def health(launcher: celery_launcher.CeleryRunLauncher, state: str) -> tuple[WorkerStatus, str]:
    """What the launcher says of a run whose task is in a state."""
    meta: Any = {"hostname": "celery@there", "pid": 1} if state == "STARTED" else 0
    task = f"task {state}"
    launcher.celery.backend.store_result(task, meta, state)
    run = dg.DagsterRun(job_name="a_job", tags={"dagster-celery/task_id": task})
    found = launcher.check_run_worker_health(run)
    return found.status, str(found.msg)


def workers_answer(
    launcher: celery_launcher.CeleryRunLauncher, monkeypatch: pytest.MonkeyPatch, *tasks: str
) -> None:
    """Somebody answers under the worker's name, and executes these tasks."""
    active = {"celery@there": [{"id": task} for task in tasks]}
    asked = SimpleNamespace(active=lambda: active)
    monkeypatch.setattr(launcher.celery.control, "inspect", lambda *_, **__: asked)


def test_a_worker_that_does_not_answer_is_gone(launcher: Any) -> None:
    status, message = health(launcher, "STARTED")
    assert status == WorkerStatus.FAILED
    assert "celery@there no longer executes the run" in message


def test_a_worker_that_was_started_anew_executes_other_runs(
    launcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers_answer(launcher, monkeypatch, "another task")
    assert health(launcher, "STARTED")[0] == WorkerStatus.FAILED


def test_a_worker_that_executes_the_run_is_healthy(
    launcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers_answer(launcher, monkeypatch, "another task", "task STARTED")
    assert health(launcher, "STARTED")[0] == WorkerStatus.RUNNING


def test_a_task_that_ends_while_it_is_asked_for_is_left_to_the_next_look(
    launcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(task: str) -> dict[str, Any]:
        return {"status": "SUCCESS", "result": 1}

    monkeypatch.setattr(
        dagster_celery.launcher.CeleryRunLauncher,
        "check_run_worker_health",
        lambda *_: CheckRunHealthResult(WorkerStatus.RUNNING),
    )
    monkeypatch.setattr(launcher.celery.backend, "get_task_meta", ended)
    assert health(launcher, "STARTED")[0] == WorkerStatus.RUNNING


def test_a_run_without_a_task_is_not_waited_for(launcher: Any) -> None:
    found = launcher.check_run_worker_health(dg.DagsterRun(job_name="a_job"))
    assert found.status == WorkerStatus.UNKNOWN
    assert "Celery task" in found.msg


def test_a_task_that_ended_has_left_its_run_behind(launcher: Any) -> None:
    status, message = health(launcher, "SUCCESS")
    assert status == WorkerStatus.FAILED
    assert "could not report its result" in message


def test_a_task_that_broke_is_told_as_dagster_tells_it(launcher: Any) -> None:
    assert health(launcher, "REVOKED")[0] == WorkerStatus.UNKNOWN


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def a_job() -> None:
    """A job."""
    nothing()


@pytest.mark.parametrize(
    ("state", "expected"), [("STARTED", "CANCELING"), ("PENDING", "CANCELED"), (None, "CANCELED")]
)
def test_a_run_that_is_terminated_is_canceled(
    launcher: Any, monkeypatch: pytest.MonkeyPatch, state: str | None, expected: str
) -> None:
    revoked: list[str] = []
    monkeypatch.setattr(launcher.celery.control, "revoke", lambda task, **_: revoked.append(task))
    instance = launcher._instance
    task = f"terminated {state}"
    tags = {"dagster-celery/task_id": task} if state else {}
    run = instance.create_run_for_job(a_job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    if state == "STARTED":
        launcher.celery.backend.store_result(task, {"hostname": "there"}, state)
    assert launcher.terminate(run.run_id)
    assert instance.get_run_by_id(run.run_id).status.value == expected
    assert revoked == ([task] if state else [])
    assert launcher.terminate(run.run_id) == (expected == "CANCELING")
