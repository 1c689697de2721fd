"""A `dagster dev` under a supervisor, as in production: who died is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sync_assets_tests.support.dev import Dev, free_port, members
from sync_assets_tests.support.project import environment

PAUSE = 0.5
#: What the processes of a `dagster dev` have in their command lines.
PARTS = {"code server": "dagster api grpc", "daemon": "dagster._daemon"}


class Supervisor:
    """Starts `dagster dev` in a folder, again and again, until it is closed."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.starts, self._port, self._folder = 0, free_port(), folder
        self._environment = environment(folder, **variables)
        self._closed = threading.Event()
        self._sessions: list[int] = []
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self._thread.start()

    @property
    def ui(self) -> Dev:
        """What its UI shows."""
        return Dev(self._port)

    def processes(self) -> dict[int, str]:
        """All processes, also those that an earlier start left behind, and their command lines."""
        return {pid: said for one in self._sessions for pid, said in members(one).items()}

    def kill(self, part: str) -> int:
        """Kill -9 all processes of a kind; gives their number."""
        found = [pid for pid, command in self.processes().items() if PARTS[part] in command]
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    def restart(self) -> None:
        """Let it go down as a whole; it is started again."""
        os.killpg(self._sessions[-1], signal.SIGINT)

    def close(self) -> None:
        """End it, and whatever is left."""
        self._closed.set()
        self.restart()
        self._thread.join(60)
        for pid in self.processes():
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(pid, signal.SIGKILL)

    def _supervise(self) -> None:
        command = [sys.executable, "-m", "dagster", "dev", "-p", str(self._port)]
        with (self._folder / "dev.log").open("a") as log:
            while not self._closed.is_set():
                process = subprocess.Popen(
                    command, cwd=self._folder, env=self._environment, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
                self._sessions.append(process.pid)
                self.starts += 1
                process.wait()
                self._closed.wait(PAUSE)


@contextmanager
def supervised(folder: Path, variables: Mapping[str, str]) -> Iterator[Supervisor]:
    """A supervisor, and nothing of what it started once the block has ended."""
    made = Supervisor(folder, variables)
    try:
        yield made
    finally:
        made.close()
