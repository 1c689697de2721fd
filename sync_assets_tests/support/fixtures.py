"""Fixtures of all tests: a fake account and an own warehouse file for each, and instances."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import dagster as dg
import pytest
from alembic.script import ScriptDirectory

from sync_assets.base import secrets
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.fake_api import FakeApi
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.three_promotions import offer
from sync_assets_tests.support.world import World, new_world


@pytest.fixture(autouse=True)
def environment_left_alone() -> Iterator[None]:
    """Fail a test that leaves a variable behind, which would configure the next one.

    A patch that is undone after the patch below it sets what that one removed.
    """
    before = dict(os.environ)
    yield
    left = {name for name, _ in before.items() ^ os.environ.items()} - {"PYTEST_CURRENT_TEST"}
    assert not left, f"changed in the environment and not set back: {sorted(left)}"


@pytest.fixture(autouse=True)
def secrets_of_its_own(environment_left_alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after a test what it configured as a secret: it may be another test's address."""
    monkeypatch.setattr(secrets, "_known", set(secrets._known))


@pytest.fixture(autouse=True, scope="session")
def migrations_read_once() -> Iterator[None]:
    """Let Dagster read the files of its migrations once, and not for each database of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", cache(ScriptDirectory.from_config))
        yield


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


@pytest.fixture(scope="session")
def unused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an instance that has never run anything."""
    folder = tmp_path_factory.mktemp("unused")
    with local_instance(folder):
        return folder


@pytest.fixture
def runs(unused: Path, world: World) -> Iterator[DagsterRuns]:
    """An instance that has never run anything, over three promotions."""
    offer(world.api)
    with copied(unused, world) as instance:
        yield DagsterRuns(instance)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an instance and a warehouse after the first sync."""
    with new_world(tmp_path_factory.mktemp("history")) as world:
        offer(world.api)
        with local_instance(world.folder) as instance:
            DagsterRuns(instance).first_sync()
        return world.folder


@pytest.fixture
def synced(history: Path, world: World) -> Iterator[DagsterRuns]:
    """An instance and a warehouse after the first sync of three promotions."""
    offer(world.api)
    with copied(history, world) as instance:
        yield DagsterRuns(instance)


def copied(folder: Path, world: World) -> dg.DagsterInstance:
    """The instance in a copy of a folder, to be used in a `with`."""
    shutil.copytree(folder, world.folder, dirs_exist_ok=True)
    return local_instance(world.folder)
