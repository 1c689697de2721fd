"""Children declared in one line: below parents of any key, with data anywhere in the body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync_assets.base.errors import ConfigurationError
from sync_assets.cli import main
from sync_assets.sources.rest import NextLink, Parent, child, columns
from sync_assets.warehouse.queries import follow
from sync_assets_tests.support import fourth_api
from sync_assets_tests.support.fake_api import Fault
from sync_assets_tests.support.fourth_api import DEFAULTS, declare, install
from sync_assets_tests.support.world import World

FORMS: dict[str, Any] = {
    "name": "forms",
    "primary_key": "formNumber",
    "endpoint": {"path": "/forms"},
    "columns": columns(required="formNumber", bigint="formNumber", text="title"),
}
ANSWERS = child(
    "answers",
    "/forms/{form}/answers",
    of="forms",
    field="formNumber",
    key="code",
    columns=columns(required="code", text="code", bigint="score"),
)
NESTED = {**DEFAULTS, "endpoint": {"data_selector": "result.items",
                                   "paginator": NextLink("result.links")}}  # fmt: skip
PARENT = Parent("forms", "forms", key="formNumber")
API = declare(FORMS, ANSWERS, parents=[PARENT], defaults=NESTED)


def answer(rows: list[dict[str, Any]], **said: Any) -> bytes:
    """A body whose list is in an object."""
    result = {"items": rows, "links": {"next": None}, **said}
    return json.dumps({"result": result}).encode()


def send(world: World, path: str, body: bytes) -> None:
    """Let the API answer so from now on."""
    world.api.lists[path] = []
    world.api.faults[path] = [Fault(body=body)]


@pytest.fixture
def forms(world: World) -> World:
    """Two forms, each with answers of the same codes."""
    install(world, API)
    send(world, "/forms", answer([{"formNumber": 7}, {"formNumber": 8, "title": "B"}]))
    for form in (7, 8):
        rows = [{"code": code, "score": form} for code in "ab"]
        send(world, f"/forms/{form}/answers", answer(rows))
    return world


def test_parents_may_have_any_key(forms: World) -> None:
    assert not [one.error for one in forms.sync(fourth_api.NAME, "forms", "answers").values()
                if one.error]  # fmt: skip
    rows = forms.query("SELECT form, code, score FROM surveys.answers ORDER BY ALL")
    assert [tuple(row.values()) for row in rows] == [
        ("7", "a", 7), ("7", "b", 7), ("8", "a", 8), ("8", "b", 8)]  # fmt: skip
    found = follow(API, PARENT)
    assert found is not None
    assert sorted(found.ids) == ["7", "8"]


def test_the_parent_column_is_declared_by_the_path_alone() -> None:
    answers = API.endpoints["answers"]
    assert (answers.parent, answers.parent_field, answers.partitioned) == (
        "forms", "form_number", True)  # fmt: skip
    assert answers.hints["primary_key"] == ["form", "code"]
    assert answers.columns["form"] == {"name": "form", "data_type": "text", "nullable": False}


@pytest.mark.parametrize("path", ["/answers", "/{a}/{b}", "/forms/{}/answers"])
def test_a_path_without_one_parent_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="resource answers: `path` must hold the column"):
        child("answers", path, of="forms", columns=columns(required="id", text="id"))


def test_what_a_nested_body_says_of_its_size_is_heeded(forms: World) -> None:
    send(forms, "/forms", answer([{"formNumber": 7}], total=5))
    (listing,) = forms.sync(fourth_api.NAME, "forms").values()
    assert "the API counts 5 rows and sent 1" in str(listing.error)


@pytest.mark.parametrize("body", [{"result": None}, {"result": {"items": 5}}, {"items": []}, {}])
def test_a_body_without_the_nested_list_is_no_list(forms: World, body: dict[str, Any]) -> None:
    send(forms, "/forms", json.dumps(body).encode())
    (listing,) = forms.sync(fourth_api.NAME, "forms").values()
    assert "the list under 'result.items' is " in str(listing.error)


def test_one_partition_of_another_key_on_the_command_line(
    forms: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sync_assets.cli.apis", lambda: {API.name: API})
    assert main([API.name, "--partition", "8"]) == 0, capsys.readouterr().out
    assert {row["form"] for row in forms.query("SELECT form FROM surveys.answers")} == {"8"}
