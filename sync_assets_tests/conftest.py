"""A fake account and an own warehouse file for each test; nothing of the developer's is used."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_assets.base import secrets
from sync_assets_tests.support.counts import (
    pytest_configure,
    pytest_runtest_setup,
    pytest_sessionstart,
    pytest_terminal_summary,
)
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.three_promotions import offer
from sync_assets_tests.support.world import World, new_world

__all__ = [
    "pytest_configure",
    "pytest_runtest_setup",
    "pytest_sessionstart",
    "pytest_terminal_summary",
]


@pytest.fixture(autouse=True)
def secrets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after a test what it configured as a secret: it may be another test's address."""
    monkeypatch.setattr(secrets, "_known", set(secrets._known))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An account and a warehouse of the test's own."""
    with new_world(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An account and a warehouse that the tests of a module share."""
    with new_world(tmp_path_factory.mktemp("shared")) as made:
        yield made


@pytest.fixture
def elsewhere() -> Iterator[FakeApi]:
    """Another host, which must never see a credential."""
    with FakeApi().running() as other:
        yield other


@pytest.fixture
def runs(world: World) -> Iterator[DagsterRuns]:
    """An instance that has never run anything, over three promotions."""
    offer(world.api)
    with local_instance(world.folder) as instance:
        yield DagsterRuns(instance)


@pytest.fixture(scope="module")
def history(shared: World) -> Path:
    """The folder of an instance and a warehouse after the first sync."""
    offer(shared.api)
    with local_instance(shared.folder) as instance:
        DagsterRuns(instance).first_sync()
    return shared.folder


@pytest.fixture
def synced(history: Path, world: World) -> Iterator[DagsterRuns]:
    """A copy of that instance, and of that warehouse."""
    offer(world.api)
    shutil.copytree(history, world.folder, dirs_exist_ok=True)
    with local_instance(world.folder) as instance:
        yield DagsterRuns(instance)
