"""A Postgres role that lacks a right is refused; the message has the missing GRANTs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from sync_assets.warehouse.errors import WarehouseError
from sync_assets_tests.support.postgres import PostgresWorld, execute, own_database
from sync_assets_tests.support.world import World

pytestmark = pytest.mark.long
HOST = "127.0.0.1:5432"
CREDENTIALS = "DESTINATION__WAREHOUSE__CREDENTIALS"
DATASET = "affiliates"
#: What is taken from a role that may do all, and the statement that gives it back.
TAKEN = {
    "REVOKE CREATE ON DATABASE {database} FROM {role}": "CREATE ON DATABASE",
    "REVOKE CREATE ON SCHEMA affiliates FROM {role}": "CREATE ON SCHEMA",
    "REVOKE ALL ON SCHEMA affiliates FROM {role}": "USAGE, CREATE ON SCHEMA",
    "REVOKE INSERT ON affiliates.coupons FROM {role}": "INSERT ON",
    "REVOKE DELETE ON affiliates.coupons FROM {role}": "DELETE ON",
    "REVOKE ALL ON affiliates._syncs FROM {role}": "SELECT, INSERT, DELETE ON",
    "REVOKE INSERT ON ALL TABLES IN SCHEMA affiliates FROM {role}": "INSERT ON",
}
READ_ONLY = {
    "ALTER ROLE {role} SET default_transaction_read_only = on": "it is read-only",
    "ALTER DATABASE {database} SET default_transaction_read_only = on": "it is read-only",
}
NO_PASSWORD = {
    "a URL without one": {"": "postgresql://postgres@127.0.0.1:5432/{database}"},
    "a URL with an empty one": {"": "postgresql://postgres:@127.0.0.1:5432/{database}"},
    "parts without one": {
        "__HOST": "127.0.0.1", "__USERNAME": "postgres", "__DATABASE": "{database}",
    },
    "parts with one": {
        "__HOST": "127.0.0.1", "__PORT": "5432", "__USERNAME": "postgres",
        "__DATABASE": "{database}", "__PASSWORD": "x",
    },
    "the scheme of SQLAlchemy": {"": "postgresql+psycopg2://postgres:x@127.0.0.1:5432/{database}"},
    "the short scheme": {"": "postgres://postgres:x@127.0.0.1:5432/{database}"},
    "user and host in the query": {
        "": "postgresql:///{database}?host=127.0.0.1&port=5432&user=postgres"
    },
}  # fmt: skip
FAULTS = {
    **{f"`{statement}`": f"refused: GRANT {right} ..." for statement, right in TAKEN.items()},
    **{f"`{statement}`": f"refused: {words}" for statement, words in READ_ONLY.items()},
    **{
        f"credentials without a password, or in another form: {form}": "loads"
        for form in NO_PASSWORD
    },
}


@pytest.fixture
def world(world: World) -> Iterator[PostgresWorld]:
    with own_database() as database:
        made = PostgresWorld.over(world, database)
        made.api.lists["/v1/coupons"] = [{"id": 1}]
        yield made


@pytest.fixture
def role(world: PostgresWorld) -> Iterator[str]:
    """A role that loads into a dataset of its own, with every right that a sync needs."""
    name = f"etl_{uuid4().hex[:8]}"
    execute("postgres", f"CREATE ROLE {name} LOGIN PASSWORD 'S3CRET-canary'")
    try:
        world.sync(DATASET, "coupons")
        for statement in (
            f"GRANT CREATE ON DATABASE {world.database} TO {name}",
            f"GRANT ALL ON SCHEMA {DATASET} TO {name}",
            f"GRANT ALL ON ALL TABLES IN SCHEMA {DATASET} TO {name}",
        ):
            execute(world.database, statement)
        world.api.seen.clear()
        url = f"postgresql://{name}:S3CRET-canary@{HOST}/{world.database}"
        world.monkeypatch.setenv(CREDENTIALS, url)
        yield name
    finally:
        execute("postgres", f"ALTER DATABASE {world.database} RESET ALL")
        execute(world.database, f"DROP OWNED BY {name} CASCADE")
        execute("postgres", f"DROP ROLE {name}")


def refused(world: PostgresWorld) -> str:
    """What is said instead of a sync, before any request."""
    with pytest.raises(WarehouseError) as caught:
        world.sync(DATASET, "coupons")
    assert world.api.seen == []
    assert "S3CRET" not in str(caught.value)
    assert len(str(caught.value).splitlines()) < 20
    return str(caught.value)


@pytest.mark.parametrize("statement", TAKEN)
def test_the_missing_grant_is_told_and_is_the_remedy(
    world: PostgresWorld, role: str, statement: str
) -> None:
    execute(world.database, statement.format(database=world.database, role=role))
    message = refused(world)
    grants = re.findall(r"^  (GRANT .*);$", message, re.M)
    assert any(f"GRANT {TAKEN[statement]}" in grant for grant in grants), message
    assert role in message
    for grant in grants:
        execute(world.database, grant)
    (listing,) = world.sync(DATASET, "coupons").values()
    assert listing.error is None


def test_a_role_without_any_right_is_told_all_of_it_at_once(
    world: PostgresWorld, role: str
) -> None:
    execute(world.database, f"DROP OWNED BY {role}")
    grants = re.findall(r"^  (GRANT .*);$", refused(world), re.M)
    for grant in grants:
        execute(world.database, grant)
    (listing,) = world.sync(DATASET, "coupons").values()
    assert listing.error is None


def test_a_new_dataset_needs_create_on_the_database(world: PostgresWorld, role: str) -> None:
    execute(world.database, f"DROP SCHEMA {DATASET} CASCADE")
    execute(world.database, f"REVOKE CREATE ON DATABASE {world.database} FROM {role}")
    message = refused(world)
    assert f'GRANT CREATE ON DATABASE "{world.database}" TO "{role}";' in message


@pytest.mark.parametrize("statement", READ_ONLY)
def test_a_server_that_takes_no_rows_is_refused(
    world: PostgresWorld, role: str, statement: str
) -> None:
    execute(world.database, statement.format(database=world.database, role=role))
    assert READ_ONLY[statement] in refused(world)


@pytest.mark.parametrize("form", NO_PASSWORD)
def test_each_form_of_credentials_loads(world: PostgresWorld, form: str) -> None:
    world.monkeypatch.delenv(CREDENTIALS)
    for name, value in NO_PASSWORD[form].items():
        world.monkeypatch.setenv(f"{CREDENTIALS}{name}", value.format(database=world.database))
    (listing,) = world.sync(DATASET, "coupons").values()
    assert listing.error is None
    assert world.ids(f"{DATASET}.coupons") == [1]


def test_a_database_or_a_role_that_is_not_there_is_told(world: PostgresWorld) -> None:
    for url, words in {
        f"postgresql://postgres:S3CRET@{HOST}/no_such": "it has no such database",
        f"postgresql://no_such:S3CRET@{HOST}/{world.database}": "it has no such user",
        f"postgresql://postgres:S3CRET@{HOST}/{world.database}?sslmode=require": "SSL",
    }.items():
        world.monkeypatch.setenv(CREDENTIALS, url)
        assert words in refused(world)
