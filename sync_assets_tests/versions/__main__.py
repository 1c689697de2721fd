"""Writes what the version of this checkout leaves in each warehouse."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from sync_assets_tests import conftest
from sync_assets_tests.conftest import World
from sync_assets_tests.postgres import PostgresWorld, own_database
from sync_assets_tests.versions import FOLDER, PARENTS, RESOURCES, dump, offer


def write(world: World, name: str) -> None:
    """Sync the account and write down what is there."""
    offer(world)
    world.sync("promotions", *RESOURCES, parents={"promotions": PARENTS})
    (FOLDER / f"{sys.argv[1]}.{name}.sql").write_text(dump(world))


with tempfile.TemporaryDirectory() as folder, conftest._world(Path(folder)) as made:
    write(made, "duckdb")
    with own_database() as database:
        write(PostgresWorld.over(made, database), "postgres")
