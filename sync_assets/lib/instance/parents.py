"""Ends a run together with its `dagster dev` or Celery worker.

If only `dagster dev` is ended, by a supervisor or by kill -9, its code server stays and waits for
its runs, however long they take (Dagster 1.13.27).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress

from sync_assets.lib.instance.run_process import PROC, RunProcess

#: What `dagster dev` gives to all that it starts, and does not have itself.
VARIABLE = b"DAGSTER_IS_DEV_CLI"
LOOK_EVERY_SECONDS = 1.0


def end_with_dagster_dev() -> None:
    """Interrupt this process once the `dagster dev` that started it is gone.

    Does nothing without a `dagster dev`, and on systems without /proc.
    """
    leader = dagster_dev()
    if leader is not None:
        threading.Thread(target=_follow, args=(leader,), name="dagster dev", daemon=True).start()


def end_with_celery_worker() -> None:
    """Let SIGQUIT interrupt the run; a Celery worker with REMAP_SIGTERM ends its tasks by it.

    Celery's own handler ends the task as if its op had failed (5.7), which is not retried. If
    nothing handles the signal, it is left alone.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and callable(signal.getsignal(signal.SIGQUIT)):
        signal.signal(signal.SIGQUIT, lambda *_: signal.raise_signal(signal.SIGTERM))


def dagster_dev() -> RunProcess | None:
    """Return the `dagster dev` among the parents of this process, if there is one."""
    pid = os.getpid()
    with suppress(OSError, ValueError):  # no /proc, or it ended just now
        while VARIABLE in (PROC / f"{pid}/environ").read_bytes():
            pid = int((PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if pid > 1 and pid != os.getpid():
            return RunProcess.of(pid)
    return None


def _follow(leader: RunProcess) -> None:
    while leader.is_alive:
        time.sleep(LOOK_EVERY_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)
