"""Ctrl-C and SIGTERM end a sync within seconds, wherever it waits, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sync_assets.base import stop
from sync_assets.sources.rest.http.rate_limiter import RateLimiter
from sync_assets.sources.rest.http.windows import Quota
from sync_assets.warehouse.connection.lock import silent, single_writer
from sync_assets_tests.support.leftovers import left_behind
from sync_assets_tests.support.project import ROOT
from sync_assets_tests.support.world import World

SOON = 10.0  # on a busy machine; alone it takes less than two seconds


@contextmanager
def syncing(world: World, path: str, asked: int, *program: str) -> Iterator[subprocess.Popen[str]]:
    """The command line in a process of its own, from when it has asked for paths so often on."""
    command = [sys.executable, *(program or ("-m", "sync_assets", "promotions"))]
    environment = {**os.environ, "TMPDIR": str(world.folder)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while len([seen for seen in world.api.seen if seen.path.startswith(path)]) < asked:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], number: int) -> tuple[float, str]:
    """Seconds that it takes to end after a signal, and what was printed."""
    started = time.monotonic()
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    return time.monotonic() - started, output + errors


def offer(world: World) -> list[str]:
    """Promotions with a list of users each, of which one is in the warehouse."""
    world.api.lists["/promotions"] = [{"id": str(n)} for n in range(60)]
    for n in range(60):
        for child in ("stages", "users", "participations", "prizes", "ranking"):
            world.api.lists[f"/{child}/{n}"] = [{"id": "a"}]
    world.api.lists["/organizing_brands"] = [{"id": "a"}]
    world.api.page_size = 100
    world.sync("promotions", "users", parents={"promotions": ["1"]})
    world.api.seen.clear()
    return [path.name for path in world.folder.iterdir()]


def assert_nothing_is_left(world: World) -> None:
    """The rows of before, no scratch, no log, no lock."""
    assert world.query("SELECT promotion_id, id FROM promotions.users") == [
        {"promotion_id": "1", "id": "a"}
    ]
    assert left_behind(world.folder.glob("sync_assets-*")) == []
    with single_writer(world.folder / "warehouse.duckdb", silent, patience=1):
        pass


#: Where a sync waits when it is told to stop: settings, faults of users of 1, requests so far.
WAITS: dict[str, tuple[dict[str, object], dict[str, object], int]] = {
    "the rate": ({"requests_per_minute": 30}, {}, 30),
    "a rest": ({}, {"status": 429, "headers": {"Retry-After": "200"}}, 1),
    "a retry": ({"backoff_factor": 100, "max_concurrency": 1}, {"status": 500}, 1),
    "an answer": ({"timeout": 50, "max_concurrency": 1}, {"delay": 40.0}, 1),
    "a body": ({"timeout": 50, "max_concurrency": 1}, {"drip": 1.0}, 1),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "name",
    [name if name == "an answer" else pytest.param(name, marks=pytest.mark.long) for name in WAITS],
)
def test_a_signal_ends_the_command_line_soon(world: World, name: str, number: int) -> None:
    if number == signal.SIGTERM and name != "the rate":
        pytest.skip("one road for both signals")
    settings, fault, asked = WAITS[name]
    offer(world)
    world.configure("promotions", **settings)
    if fault:
        for n in range(60):
            world.api.fail(f"/users/{n}", **fault)
    with syncing(world, "/users" if fault else "/", asked) as process:
        time.sleep(0.3)
        seconds, output = ended(process, number)
    print(f"{name}: {seconds:.2f} s")  # noqa: T201
    assert process.returncode == 128 + number, output
    assert seconds < SOON
    assert "Traceback" not in output, output
    assert "stopped" in output
    assert_nothing_is_left(world)


@pytest.mark.long
def test_a_signal_ends_the_wait_for_another_sync(world: World) -> None:
    offer(world)
    with (
        single_writer(world.folder / "warehouse.duckdb", silent),
        syncing(world, "/", asked=0) as process,
    ):
        assert process.stdout is not None
        assert any("waiting for" in line for line in process.stdout)
        seconds, output = ended(process, signal.SIGINT)
    assert process.returncode == 130, output
    assert seconds < SOON


RUN = """
import dagster as dg
from sync_assets.definitions import defs

with dg.DagsterInstance.ephemeral() as instance:
    done = defs().resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[dg.AssetKey(["promotions", "promotions"])], instance=instance
    )
"""


@pytest.mark.long
@pytest.mark.parametrize("fault", [{"delay": 40.0}, {"status": 429}])
def test_a_run_that_is_terminated_ends_soon(world: World, fault: dict[str, object]) -> None:
    offer(world)
    world.configure("promotions", rate_window=60, timeout=50)
    world.api.fail("/promotions", **fault)
    with syncing(world, "/promotions", 1, "-c", RUN) as process:
        time.sleep(0.3)
        seconds, output = ended(process, signal.SIGINT)
    assert process.returncode not in (0, None), output
    assert seconds < 30, output  # of which the sync takes one; the rest is the end of Dagster
    assert len(world.api.seen) == 1
    assert_nothing_is_left(world)


def test_all_threads_see_the_signal() -> None:
    polite, ends = RateLimiter(2, Quota()), list[float]()
    polite.pause(60)

    def read() -> None:
        try:
            with polite.request():
                pass
        except stop.Stopped:
            ends.append(time.monotonic())

    threads = [threading.Thread(target=read) for _ in range(8)]
    before = signal.getsignal(signal.SIGINT)
    for thread in threads:
        thread.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), stop.stoppable(), stop.stoppable():
        signal.raise_signal(signal.SIGINT)
    for thread in threads:
        thread.join(30)
    assert len(ends) == 8
    assert max(ends) - started < SOON
    assert signal.getsignal(signal.SIGINT) is before


def test_a_stop_is_over_with_its_block() -> None:
    stopped = stop.current()
    with pytest.raises(KeyboardInterrupt), stop.stoppable():
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(stop.Stopped) as raised:
        stopped.wait(10)
    assert raised.value.signal_code == signal.SIGTERM
    stop.current().wait(0)


FAULTS: dict[str, str] = {
    f"Ctrl-C or SIGTERM during: {name}": "ends within 2 s with 130 or 143; nothing is half loaded"
    for name in [*WAITS, "the wait for another sync"]
}
