"""A warehouse that cannot work is refused before the first request, without its password."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_assets.warehouse.errors import WarehouseError
from sync_assets_tests.support.world import World

CREDENTIALS = "DESTINATION__WAREHOUSE__CREDENTIALS"
CANARY = "S3CRET-canary"
#: Credentials of Postgres that cannot work, and the words with which they are refused.
WRONG_POSTGRES = {
    f"mysql://etl:{CANARY}@db/wh": "must be a URL such as postgresql://",
    f"postgresql://etl:{CANARY}@x@127.0.0.1/wh": "%-encoded",
    f"postgresql://etl:{CANARY}/@x@127.0.0.1/wh": "%-encoded",
    f"postgresql://etl:x@db:{CANARY}/wh": "is not a URL",
    f"//etl:{CANARY}@db/wh": "must be a URL",
    f"host=db user=etl password={CANARY}": "must be a URL",
    f"postgresql://etl:{CANARY}@127.0.0.1": "CREDENTIALS__DATABASE",
    f"postgresql://etl:{CANARY}@127.0.0.1:9/wh": "refuses the connection",
    f"postgresql+psycopg2://etl:{CANARY}@127.0.0.1:9/wh": "refuses the connection",
    f"postgres://etl:{CANARY}@127.0.0.1:9/wh": "refuses the connection",
    f"postgresql+asyncpg://etl:{CANARY}%2F%40@127.0.0.1:9/wh": "refuses the connection",
    f"postgresql://etl:{CANARY}@no-such-host.invalid/wh": "does not resolve",
    f"postgresql://etl:{CANARY}@127.0.0.1:9/wh?sslmode={CANARY}": "wrong option",
    f"postgresql://127.0.0.1:9/wh?user=etl&password={CANARY}": "refuses the connection",
    "": "is empty",
}
WRONG_FILES = {
    ":memory:": ":memory:",
    "duckdb:///:memory:": ":memory:",
    ":pipeline:": ":pipeline:",
    f"md:db?motherduck_token={CANARY}": "DESTINATION_TYPE=motherduck",
    f"postgresql://etl:{CANARY}@db/wh": "is a URL",
    "{folder}/no/such/warehouse.duckdb": "there is no folder",
    "{folder}": "is a folder",
    "{folder}/text.duckdb": "is not a valid DuckDB database file",
    "{folder}/sqlite.db": "is not a valid DuckDB database file",
    "{folder}/text.duckdb/x": "there is no folder",
}
FAULTS = {
    f"credentials of {kind}: `{value.replace(CANARY, 'SECRET') or '(empty)'}`": f"refused: {words}"
    for kind, wrong in {"Postgres": WRONG_POSTGRES, "DuckDB": WRONG_FILES}.items()
    for value, words in wrong.items()
}


def refused(world: World) -> str:
    """What is said instead of a sync, before any request."""
    with pytest.raises(WarehouseError) as caught:
        world.sync("affiliates", "coupons")
    assert world.api.seen == []
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in f"{error} {error!r} {vars(error)}", type(error)
        error = error.__cause__ or error.__context__
    message = str(caught.value)
    assert len(message) < 1_000
    return message


@pytest.mark.parametrize("value", WRONG_POSTGRES)
def test_wrong_credentials_of_postgres_are_refused(world: World, value: str) -> None:
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "postgres")
    world.monkeypatch.setenv(CREDENTIALS, value)
    message = refused(world)
    assert WRONG_POSTGRES[value] in message
    assert CREDENTIALS in message


@pytest.mark.parametrize("value", WRONG_FILES)
def test_a_wrong_file_is_refused(world: World, value: str) -> None:
    (world.folder / "text.duckdb").write_text("this is no database" * 10)
    (world.folder / "sqlite.db").write_bytes(b"SQLite format 3\0" + bytes(4096))
    world.monkeypatch.setenv(CREDENTIALS, value.format(folder=world.folder))
    message = refused(world)
    assert WRONG_FILES[value] in message
    assert CREDENTIALS in message


def test_a_file_below_the_home_folder_is_found(world: World) -> None:
    world.monkeypatch.setenv("HOME", str(world.folder))
    world.monkeypatch.setenv(CREDENTIALS, "~/warehouse.duckdb")
    world.api.lists["/v1/coupons"] = [{"id": 1}]
    world.sync("affiliates", "coupons")
    assert world.ids("affiliates.coupons") == [1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("mode", "name"), [(0o555, "the folder"), (0o444, "warehouse.duckdb"), (0o000, "the folder")]
)
def test_a_file_without_the_right_to_write_is_refused(world: World, mode: int, name: str) -> None:
    folder = world.folder / "kept"
    folder.mkdir()
    world.monkeypatch.setenv(CREDENTIALS, str(folder / "warehouse.duckdb"))
    world.api.lists["/v1/coupons"] = [{"id": 1}]
    world.sync("affiliates", "coupons")
    world.api.seen.clear()
    changed = folder if name == "the folder" else folder / "warehouse.duckdb"
    for path in (*world.folder.parents, world.folder, folder, *folder.iterdir()):
        if path.stat().st_uid == 0 and path != Path("/"):
            path.chmod(path.stat().st_mode | (0o777 if path.is_relative_to(folder) else 0o001))
    changed.chmod(mode)
    with as_nobody():
        message = refused(world)
    assert str(changed) in message
    assert "cannot be" in message


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user who may do what everybody may."""
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


ODD = st.sampled_from("@/:%?#&=+ '\"\\;,!$[]{}|é€")
ODD_PASSWORDS = st.text(ODD | st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=ODD_PASSWORDS, after=ODD_PASSWORDS, encoded=st.booleans())
def test_no_password_is_quoted_whatever_is_in_it(
    world: World, before: str, after: str, encoded: bool
) -> None:
    password = f"{before}{CANARY}{after}"
    written = quote(password, safe="") if encoded else password
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "postgres")
    world.monkeypatch.setenv(CREDENTIALS, f"postgresql://etl:{written}@127.0.0.1:9/wh")
    refused(world)
