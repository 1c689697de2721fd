"""A run whose process is gone is found, and one that is only far away or busy is left alone."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.utils import make_new_run_id
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from sync_assets.lib.instance import parents
from sync_assets.lib.instance.executor import build_executor
from sync_assets.lib.instance.run_process import TAG, RunProcess
from sync_assets.warehouse.machines import ExecutionSettings
from sync_assets_tests.support.project import ROOT

STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE
SLEEP = "import time; print('up', flush=True); time.sleep(60)"


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job(executor_def=build_executor(ExecutionSettings()))
def a_job() -> None:
    """A job of the code location."""
    nothing()


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A process that sleeps."""
    with subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE, text=True) as made:
        assert made.stdout is not None
        assert made.stdout.readline() == "up\n"
        yield made
        made.kill()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with the launcher, the queue and the monitoring that `dagster.yaml` names."""
    told = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    names = ("run_launcher", "concurrency", "run_monitoring", "run_retries")
    overrides = {name: told[name] for name in names}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides) as made:
        yield made


def begin(instance: dg.DagsterInstance, process: RunProcess | None) -> dg.DagsterRun:
    """A run that has started in a process."""
    run_id = make_new_run_id()
    tags = process.tags(run_id) if process else {}
    return instance.create_run_for_job(a_job, run_id=run_id, status=STARTED, tags=tags)


def monitor(instance: dg.DagsterInstance) -> None:
    """One look of Dagster's run monitoring."""
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context:
        errors = list(execute_run_monitoring_iteration(context, logging.getLogger("monitoring")))
    assert not any(errors), errors


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_run_whose_process_was_killed_is_failed_and_others_go_on(
    instance: dg.DagsterInstance, process: subprocess.Popen[str]
) -> None:
    alive = RunProcess.of(process.pid)
    elsewhere = replace(RunProcess.of(os.getpid()), host="another", pid=2**22 + 1)
    runs = [begin(instance, one) for one in (alive, elsewhere, None)]
    monitor(instance)
    assert [status(instance, run) for run in runs] == [STARTED] * 3
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie, until its parent looks
    monitor(instance)
    assert [status(instance, run) for run in runs] == [FAILURE, STARTED, STARTED]
    process.wait()
    assert not alive.is_alive


def test_a_run_ends_with_its_dagster_dev(
    process: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = RunProcess.of(process.pid)
    monkeypatch.setattr(parents, "dagster_dev", lambda: leader)
    monkeypatch.setattr(parents, "LOOK_EVERY_SECONDS", 0.02)
    parents.end_with_dagster_dev()
    time.sleep(0.1)  # nothing happens as long as it is there
    process.kill()
    with pytest.raises(KeyboardInterrupt):
        time.sleep(60)


def test_a_run_ends_with_its_celery_worker() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGQUIT, signal.SIGTERM)}
    heard: list[int] = []
    try:
        parents.end_with_celery_worker()
        assert signal.getsignal(signal.SIGQUIT) == before[signal.SIGQUIT]
        signal.signal(signal.SIGQUIT, lambda *_: sys.exit("an op that failed"))
        signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
        parents.end_with_celery_worker()
        signal.raise_signal(signal.SIGQUIT)
        assert heard == [signal.SIGTERM]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


CHILD = (
    "from sync_assets.lib.instance.parents import dagster_dev;"
    "found = dagster_dev(); print(found and found.pid)"
)


@pytest.mark.parametrize("variables", [{}, {"DAGSTER_IS_DEV_CLI": "1"}])
def test_the_dagster_dev_of_a_process_is_found(variables: dict[str, str]) -> None:
    environment = {**os.environ, **variables}
    said = subprocess.run(
        [sys.executable, "-c", CHILD],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == (str(os.getpid()) if variables else "None")


@pytest.mark.parametrize("change", [{"started": "1"}, {"boot": "before the power cut"}])
def test_a_process_that_got_the_id_of_another_is_not_it(change: dict[str, Any]) -> None:
    assert RunProcess.of(os.getpid()).is_alive
    assert not replace(RunProcess.of(os.getpid()), **change).is_alive


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"pid": 1}', "no JSON"])
def test_tags_that_name_no_process_say_nothing(text: str) -> None:
    assert RunProcess.of_run("a run", {TAG: text}) is None
    assert RunProcess.of_run("a run", {}) is None


def test_a_run_that_is_executed_again_is_not_judged_by_the_process_of_the_one_before() -> None:
    process = RunProcess.of(os.getpid())
    inherited = process.tags("the one before")
    assert RunProcess.of_run("the one before", inherited) == process
    assert RunProcess.of_run("this one", inherited) is None


def test_each_run_notes_its_process(instance: dg.DagsterInstance) -> None:
    with instance:
        result = dg.execute_job(dg.reconstructable(a_job), instance)
    found = instance.get_run_by_id(result.run_id)
    assert found is not None
    assert json.loads(found.tags[TAG])["pid"] == os.getpid()


def test_a_run_can_be_terminated_when_its_code_server_is_gone(
    instance: dg.DagsterInstance, process: subprocess.Popen[str]
) -> None:
    launcher: Any = instance.run_launcher
    gone = {".dagster/grpc_info": json.dumps({"host": "localhost", "socket": "/nowhere"})}
    run = begin(instance, RunProcess.of(process.pid))
    instance.add_run_tags(run.run_id, gone)
    assert launcher.terminate(run.run_id)
    assert process.wait(60) == -signal.SIGINT or process.returncode == 1
    assert launcher.terminate(run.run_id)  # nobody is left to say that it was canceled
    assert status(instance, run) == dg.DagsterRunStatus.CANCELED

    unknown = begin(instance, None)
    instance.add_run_tags(unknown.run_id, gone)
    with pytest.raises(dg.DagsterError):
        launcher.terminate(unknown.run_id)
