"""A `dagster dev` in a process of its own, and what its UI would show."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sync_assets_tests.support.project import environment

T = TypeVar("T")
SOURCES = ("promotions", "affiliates", "events")
STATE = """{
  assetNodes { assetKey { path } partitionStats { numMaterialized numPartitions }
               assetMaterializations(limit: 1) { timestamp } }
  runsOrError { ... on Runs { results { runId status } } }
}"""


class Dev:
    """A running `dagster dev`, or a webserver that somebody else started."""

    def __init__(self, port: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self.url = f"http://127.0.0.1:{port}/graphql"
        self._process = process

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started, which leads the session of all others."""
        assert self._process is not None
        return self._process

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """A GraphQL query, as the UI sends them."""
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.url,
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return dict(json.load(answer)["data"])

    def state(self) -> dict[str, Any]:
        """Assets and runs as the UI sees them; nothing while it is not up."""
        try:
            return self.ask(STATE)
        except OSError:
            return {"assetNodes": [], "runsOrError": {"results": []}}

    def wait_for_everything(self, seconds: float) -> dict[str, Any]:
        """Wait until each partition of each of the twenty synced assets is materialized."""

        def done() -> dict[str, Any] | None:
            state = self.state()
            statuses = {run["status"] for run in state["runsOrError"]["results"]}
            assert "FAILURE" not in statuses, state
            ours = [node for node in state["assetNodes"] if is_synced(node)]
            return state if len(ours) == 20 and all(map(_full, ours)) else None

        return wait_for(done, seconds)


def is_synced(node: Mapping[str, Any]) -> bool:
    """Whether an asset is one of the twenty, and no report or asset of a test."""
    return node["assetKey"]["path"][0] in SOURCES


def _full(node: Mapping[str, Any]) -> bool:
    stats = node["partitionStats"]
    if stats is None:
        return bool(node["assetMaterializations"])
    return bool(stats["numPartitions"] and stats["numMaterialized"] == stats["numPartitions"])


def wait_for(look: Callable[[], T | None], seconds: float, every: float = 1) -> T:
    """What a look finds, looked for again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(every)
    raise AssertionError(f"not seen within {seconds} s")


def members(session: int) -> dict[int, str]:
    """The processes of a session that execute, and their command lines."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                command = (stat.parent / "cmdline").read_bytes()
                found[int(stat.parent.name)] = command.replace(b"\0", b" ").decode()
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait until it has ended by itself; who does not is killed with all that he started."""
    try:
        assert process.wait(60) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


@contextmanager
def dev(folder: Path, variables: Mapping[str, str]) -> Iterator[Dev]:
    """Run `dagster dev` in a folder until the block ends, then stop it as Ctrl-C does."""
    port = free_port()
    with (folder / "dev.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "-p", str(port)],
            cwd=folder,
            env=environment(folder, **variables),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield Dev(port, process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                _end(process)
            # a code server that outlives its folder fails and stays
            wait_for(lambda: (not members(process.pid)) or None, 60, every=0.1)
