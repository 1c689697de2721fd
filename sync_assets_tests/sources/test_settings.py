"""A missing or wrong setting fails before the first request and names its variable, no secret."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sync_assets.base.errors import ConfigurationError
from sync_assets.warehouse.errors import WarehouseError
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.world import APIS, SECRET_FIELDS, World

FIRST = {"promotions": "promotions", "affiliates": "coupons", "events": "orders"}
CANARY = "canary-s3cret"
WRONG_URLS = [
    "example.com", "ftp://example.com", "http://", "https:///v1", "http://[::1", "/v1",
    "http://127.0.0.1:port", "http://127.0.0.1:99999", "sandbox2", "http:example.com",
]  # fmt: skip
WRONG_NUMBERS = [
    ("max_concurrency", "0"), ("max_concurrency", "-1"), ("max_concurrency", "many"),
    ("max_concurrency", "1.5"), ("max_retries", "-1"), ("max_retries", "x"),
    ("backoff_factor", "-0.1"), ("backoff_factor", "x"), ("page_size", "0"), ("page_size", "-3"),
    ("page_size", "all"), ("requests_per_minute", "-1"), ("requests_per_minute", "x"),
    ("timeout", "0"), ("timeout", "-1"), ("timeout", "x"), ("max_wait", "-1"), ("max_wait", "x"),
    ("timeout", "nan"), ("backoff_factor", "nan"),
]  # fmt: skip


def refused(world: World, source: str) -> str:
    """The message with which a source refuses to be made."""
    with pytest.raises(ConfigurationError) as caught:
        world.read(source, FIRST[source])
    assert world.api.seen == []
    return str(caught.value)


@pytest.mark.parametrize("source", APIS)
def test_a_sync_refuses_with_the_message_of_its_source(world: World, source: str) -> None:
    world.configure(source, base_url="nonsense", max_retries=-1)
    with pytest.raises(ConfigurationError) as caught:
        world.sync(source, FIRST[source])
    assert str(caught.value) == refused(world, source)


@pytest.mark.parametrize("source", APIS)
@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_a_missing_base_url_is_named(world: World, source: str, value: str) -> None:
    world.configure(source, base_url=value)
    assert f"SOURCES__{source.upper()}__BASE_URL" in refused(world, source)


@pytest.mark.parametrize("value", WRONG_URLS)
def test_a_wrong_base_url_is_named(world: World, value: str) -> None:
    world.configure("promotions", base_url=value)
    message = refused(world, "promotions")
    assert "SOURCES__PROMOTIONS__BASE_URL" in message
    assert "sandbox" in message


@pytest.mark.parametrize("source", APIS)
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_secret_is_named(world: World, source: str, value: str | None) -> None:
    name = f"SOURCES__{source.upper()}__{SECRET_FIELDS[source]}"
    if value is None:
        world.monkeypatch.delenv(name)
    else:
        world.monkeypatch.setenv(name, value)
    assert f"{name} is not set" in refused(world, source)


@pytest.mark.parametrize("source", APIS)
@pytest.mark.parametrize("value", [f"{CANARY}\n", f"a\r\nX: {CANARY}", f"é{CANARY}→"])
def test_a_secret_that_no_header_can_carry_is_named_but_not_shown(
    world: World, source: str, value: str
) -> None:
    name = f"SOURCES__{source.upper()}__{SECRET_FIELDS[source]}"
    world.monkeypatch.setenv(name, value)
    message = refused(world, source)
    assert name in message
    assert CANARY not in message


@pytest.mark.parametrize(("field", "value"), WRONG_NUMBERS)
def test_a_wrong_number_is_named(world: World, field: str, value: str) -> None:
    world.configure("affiliates", **{field: value})
    assert f"SOURCES__AFFILIATES__{field}".upper() in refused(world, "affiliates")


def test_a_wrong_argument_is_named_as_its_variable(world: World) -> None:
    with pytest.raises(ConfigurationError, match="SOURCES__AFFILIATES__PAGE_SIZE"):
        world.read("affiliates", "coupons", page_size=0)


@pytest.mark.parametrize("source", APIS)
def test_one_sources_settings_do_not_stop_another(world: World, source: str) -> None:
    for other in set(APIS) - {source}:
        world.configure(other, base_url="nonsense", max_retries="x")
    path = {"promotions": "/promotions", "affiliates": "/v1/coupons", "events": "/orders"}[source]
    world.api.lists[path] = [{"id": 1}]
    assert len(world.read(source, FIRST[source])) == 1


@pytest.mark.long
def test_a_wrong_secret_appears_in_no_message(world: World) -> None:
    for source, api in APIS.items():
        world.configure(source, **{SECRET_FIELDS[source]: CANARY})
        path = api.endpoints[FIRST[source]].path
        world.api.lists[path] = [{"id": 1}]
        error = world.sync(source, FIRST[source])[FIRST[source]].error or ""
        assert re.search("403 Forbidden: the credential is wrong", error)
        assert CANARY not in error


def test_a_password_in_a_base_url_appears_in_no_message(world: World) -> None:
    secret_url = world.api.base_url("affiliates").replace("//", f"//user:{CANARY}@")
    world.configure("affiliates", base_url=secret_url)
    message = refused(world, "affiliates")
    assert "SOURCES__AFFILIATES__BASE_URL" in message
    assert CANARY not in message


def everything(error: BaseException | None) -> str:
    """The messages of an error and of all that is behind it."""
    text = ""
    while error is not None:
        text += f"{error!r} {error}"
        error = error.__cause__ or error.__context__
    return text


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 401}, {"reset": True}, {"cut": 3}])
@pytest.mark.parametrize("source", APIS)
def test_no_error_of_a_request_holds_the_secret(
    world: World, source: str, fault: dict[str, Any]
) -> None:
    world.api.fail(APIS[source].endpoints[FIRST[source]].path, **fault)
    with pytest.raises(Exception, match="page 1") as caught:
        world.read(source, FIRST[source])
    assert "canary" not in everything(caught.value)


def test_an_unusable_warehouse_is_named_before_the_first_request(world: World) -> None:
    world.monkeypatch.setenv("DESTINATION__WAREHOUSE__DESTINATION_TYPE", "nonsense")
    with pytest.raises(WarehouseError, match="DESTINATION__WAREHOUSE__DESTINATION_TYPE"):
        sync(Request(APIS["affiliates"], ["coupons"]))
    assert world.api.seen == []


def test_a_warehouse_file_that_is_none_is_named_before_the_first_request(world: World) -> None:
    (world.folder / "warehouse.duckdb").write_text("this is no database" * 1_000)
    with pytest.raises(
        WarehouseError, match=r"warehouse\.duckdb .*not a valid DuckDB database file"
    ):
        sync(Request(APIS["affiliates"], ["coupons"]))
    assert world.api.seen == []


def test_a_setting_for_kept_pages_is_accepted_and_said_to_have_no_effect(world: World) -> None:
    world.api.lists["/v1/coupons"] = [{"id": 1}]
    world.configure("affiliates", keep_pages=7)
    said: list[str] = []
    world.sync("affiliates", "coupons", say=said.append)
    assert world.ids("affiliates.coupons") == [1]
    assert [line for line in said if "SOURCES__AFFILIATES__KEEP_PAGES has no effect" in line]
