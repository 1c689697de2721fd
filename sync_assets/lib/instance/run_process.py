"""Which process executes a run: noted in its tags, so that a run whose process is gone is found."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dagster as dg

TAG = "sync_assets/process"
PROC = Path("/proc")


@dataclass(frozen=True)
class RunProcess:
    """A process: its machine since which boot, its id there, and when that id was given to it.

    `host` names the machine, and the container if it is one; `boot` and `started` (in clock ticks
    since then) are empty where the system has no /proc.
    """

    host: str
    boot: str
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> RunProcess:
        """What is known of a process of this machine."""
        return cls(_host(), _boot(), pid, _started(pid))

    @classmethod
    def of_run(cls, run_id: str, tags: Mapping[str, str]) -> RunProcess | None:
        """The process that a run's tags name; None where they name none.

        A run that is executed again inherits the tags of the one before.
        """
        try:
            told = json.loads(tags[TAG])
            return cls(**told) if told.pop("run") == run_id else None
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def tags(self, run_id: str) -> dict[str, str]:
        """The tags that name this process as that of a run."""
        return {TAG: json.dumps({"run": run_id, **asdict(self)})}

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine, on which alone it can be judged."""
        return self.host == _host()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; another process that got its id since is not it."""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, PermissionError):  # nobody has the id, or somebody else
            return False
        return self == RunProcess.of(self.pid)


def noting_its_process(executor: dg.Executor) -> dg.Executor:
    """The executor, which notes its process in the run's tags before it begins.

    It stays of its own class: Celery's asks the run for the executor and needs what only it has.
    """
    execute = executor.execute

    def note_and_execute(plan_context: Any, execution_plan: Any) -> Iterator[Any]:
        tags = RunProcess.of(os.getpid()).tags(plan_context.run_id)
        plan_context.instance.add_run_tags(plan_context.run_id, tags)
        yield from execute(plan_context, execution_plan)

    executor.execute = note_and_execute  # type: ignore[method-assign]
    return executor


def _host() -> str:
    namespace = ""
    with suppress(OSError):
        namespace = str((PROC / "self/ns/pid").readlink())
    return f"{socket.gethostname()} {namespace}".strip()


def _boot() -> str:
    with suppress(OSError):
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return ""


def _started(pid: int) -> str:
    """When a process began, by /proc/<pid>/stat; nothing of a zombie, which executes nothing."""
    with suppress(OSError):
        fields = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""
