"""Records in the tags of a run which process executes it, so that a dead process is found."""

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
    """A process, identified by its machine, its id and its start.

    `host` names the machine, and the container if there is one. `boot` identifies the boot of the
    machine, and `started` is the start of the process in clock ticks since then; both are empty on
    systems without /proc.
    """

    host: str
    boot: str
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> RunProcess:
        """Return what is known of a process of this machine."""
        return cls(_host(), _boot(), pid, _started(pid))

    @classmethod
    def of_run(cls, run_id: str, tags: Mapping[str, str]) -> RunProcess | None:
        """Return the process that the tags of a run name, or None.

        A run that is executed again inherits the tags of the earlier one.
        """
        try:
            fields = json.loads(tags[TAG])
            return cls(**fields) if fields.pop("run") == run_id else None
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def tags(self, run_id: str) -> dict[str, str]:
        """The tags that name this process."""
        return {TAG: json.dumps({"run": run_id, **asdict(self)})}

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine; only then can its state be known."""
        return self.host == _host()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; another process with the same id does not count."""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, PermissionError):  # nobody has the id, or somebody else
            return False
        return self == RunProcess.of(self.pid)


def noting_its_process(executor: dg.Executor) -> dg.Executor:
    """Return the executor, which records its process in the run's tags before it begins.

    Its class does not change, because Celery's executor needs what only its own class has.
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
    """Return the start of a process from /proc/<pid>/stat; empty for a zombie."""
    with suppress(OSError):
        fields = (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""
