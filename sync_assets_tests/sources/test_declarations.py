"""Each key of an API's declaration is honoured, or refused by name when the API is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest
import typing_extensions as te
from dlt.common.schema.typing import TColumnSchema
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator, SinglePagePaginator
from dlt.sources.rest_api import typing as rest_api

from sync_assets import cli
from sync_assets.base.errors import ConfigurationError
from sync_assets.sources.rest.api import Api, Parent
from sync_assets.sources.rest.declaration.hints import MERGE, below, replaced_by
from sync_assets.sources.rest.declaration.keys import SECTIONS
from sync_assets.sources.rest.http.windows import RateWindow
from sync_assets.sources.rest.life import Life
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.paging.paginators import NextLink
from sync_assets.sources.rest.records.columns import columns
from sync_assets.sources.rest.settings import ApiKeySettings
from sync_assets.warehouse.queries import state
from sync_assets_tests.docs.key_table import markdown
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.fake_api import SECRETS
from sync_assets_tests.support.fourth_api import (
    ANSWERS,
    DEFAULTS,
    FORM_PARTITIONS,
    FORMS,
    NAME,
    declare,
    install,
    offer,
)
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.project import ROOT
from sync_assets_tests.support.world import World

TYPES: dict[str, list[Any]] = {
    "config": [rest_api.RESTAPIConfig],
    "client": [rest_api.ClientConfig],
    "auth bearer": [rest_api.BearerTokenAuthConfig],
    "auth api_key": [rest_api.ApiKeyAuthConfig],
    "auth http_basic": [rest_api.HttpBasicAuthConfig],
    "auth oauth2_client_credentials": [rest_api.OAuth2ClientCredentialsConfig],
    "resource": [rest_api.EndpointResource, rest_api.EndpointResourceBase, rest_api.ResourceBase],
    "column": [TColumnSchema],
    "endpoint": [rest_api.Endpoint],
    "params resolve": [rest_api.ResolveParamConfig],
    "params incremental, endpoint.incremental": [
        rest_api.IncrementalParamConfig,
        rest_api.IncrementalConfig,
    ],
    "response_actions": [rest_api.ResponseActionDict],
    "processing_steps": [rest_api.ProcessingSteps],
    "paginator": [
        getattr(rest_api, name) for name in dir(rest_api) if name.endswith("PaginatorConfig")
        and te.is_typeddict(getattr(rest_api, name))
    ],
}  # fmt: skip


def keys(kinds: list[Any]) -> set[str]:
    """The keys of some TypedDicts."""
    return set().union(*(te.get_type_hints(kind) for kind in kinds))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_of_dlts_is_either_honoured_or_refused(section: str) -> None:
    known = SECTIONS[section]
    ours = {key for key in known.honoured if key.startswith("x-")}
    assert {*known.honoured, *known.refused} - ours == keys(TYPES[section])
    assert not set(known.honoured) & set(known.refused)


def test_no_kind_of_dict_of_dlts_is_forgotten() -> None:
    listed = {kind for kinds in TYPES.values() for kind in kinds}
    known = {key for section in TYPES.values() for key in keys(section)}
    found = {kind for name in dir(rest_api) if te.is_typeddict(kind := getattr(rest_api, name))}
    assert all(keys([kind]) <= known for kind in found - listed)
    assert {kind.__name__ for kind in found - listed if "Base" not in kind.__name__} == {
        "AuthTypeConfig", "IncrementalArgs", "IncrementalRESTArgs", "PaginatorTypeConfig",
        "ParamBindConfig",
    }  # fmt: skip


def test_the_table_for_the_docs_has_every_key() -> None:
    assert all(f"`{key}`" in markdown() for kinds in TYPES.values() for key in keys(kinds))
    assert markdown() in (ROOT / "docs" / "adding-an-api.md").read_text()


def child(**changes: Any) -> Callable[[], Api]:
    """Answers with other hints."""
    return lambda: declare(FORMS, {**ANSWERS, **changes})


def asked(**changes: Any) -> Callable[[], Api]:
    """Answers with another endpoint."""
    return child(endpoint={**ANSWERS["endpoint"], **changes})  # type: ignore[dict-item]


def client(**changes: Any) -> Callable[[], Api]:
    """Another client."""
    return lambda: declare(FORMS, client=changes)


def column(**changes: Any) -> Callable[[], Api]:
    """Forms with another title."""
    title = {"data_type": "text", **changes}
    return lambda: declare({**FORMS, "columns": {**FORMS["columns"], "title": title}})  # type: ignore[dict-item]


def parent(*fields: str, resource: str = "forms") -> Callable[[], Api]:
    """Partitions by other columns."""
    partitions = Parent(resource, "forms", list(fields))
    return lambda: declare(FORMS, ANSWERS, parents=[partitions])


RESOLVE = below("forms", "form_id")["form_id"]
BY_NUMBER = {**RESOLVE, "field": "number"}
#: By declaration: the key that the message names.
REFUSED: dict[str, tuple[Callable[[], Api], str]] = {
    "POST": (asked(method="POST"), "endpoint.method"),
    "json": (asked(json={"a": 1}), "endpoint.json"),
    "data": (asked(data="x"), "endpoint.data"),
    "auth of an endpoint": (asked(auth={"token": "x"}), "endpoint.auth"),
    "incremental": (asked(incremental={"cursor_path": "x"}), "endpoint.incremental"),
    "an incremental parameter": (
        asked(params={**below("forms", "form_id"), "since": {"type": "incremental"}}),
        "endpoint.params.since.type",
    ),
    "a parameter that is a dict": (
        asked(params={**below("forms", "form_id"), "x": {"a": 1}}), "endpoint.params.x.a"),
    "a template in params": (
        asked(params={**below("forms", "form_id"), "x": "{resources.forms.id}"}),
        "endpoint.params.x",
    ),
    "a template in headers": (asked(headers={"x": "{resources.forms.id}"}), "endpoint.headers.x"),
    "a second resolve parameter": (
        asked(params={**below("forms", "form_id"), "other": BY_NUMBER}), "endpoint.params"),
    "two parents in the path": (
        asked(path="/{resources.forms.id}/{resources.forms.title}", params={}), "endpoint.params"),
    "a resolve parameter that the path lacks": (asked(path="/answers"), "endpoint.path"),
    "a placeholder that nothing fills": (asked(path="/{x}/{form_id}"), "endpoint.path"),
    "an address as path": (asked(path="https://x.test/{form_id}"), "endpoint.path"),
    "a parent that is unknown": (asked(params=below("quizzes", "form_id")), "resource"),
    "a field that is undeclared": (asked(params={"form_id": BY_NUMBER}), "field"),
    "a field that may be null": (
        asked(params={"form_id": {**RESOLVE, "field": "title"}}), "field"),
    "a parent below a parent": (
        lambda: declare(FORMS, ANSWERS, {
            **FORMS, "name": "parts",
            "endpoint": {"path": "/answers/{resources.answers.id}/parts"}}),
        "resource",
    ),
    "a selector with a filter": (asked(data_selector="data.items[0]"), "endpoint.data_selector"),
    "no selector": (
        lambda: declare(FORMS, defaults={**DEFAULTS, "endpoint": {"paginator": NextLink()}}),
        "endpoint.data_selector"),
    "no paginator": (
        lambda: declare(FORMS, defaults={**DEFAULTS, "endpoint": {"data_selector": "data"}}),
        "endpoint.paginator"),
    "a paginator as text": (asked(paginator="json_link"), "endpoint.paginator"),
    "a paginator as dict": (asked(paginator={"type": "cursor"}), "endpoint.paginator"),
    "a paginator of dlt's": (asked(paginator=JSONLinkPaginator()), "endpoint.paginator"),
    "one page of dlt's": (asked(paginator=SinglePagePaginator()), "endpoint.paginator"),
    "another response action": (
        asked(response_actions=[{"status_code": 403, "action": "ignore"}]),
        "endpoint.response_actions"),
    "a response action by content": (
        asked(response_actions=[{"content": "x", "action": "ignore"}]),
        "endpoint.response_actions.content"),
    "a typing slip": (asked(pathh="/x"), "endpoint.pathh"),
    "include_from_parent": (child(include_from_parent=["title"]), "include_from_parent"),
    "selected": (child(selected=False), "selected"),
    "not parallelized": (child(parallelized=False), "parallelized"),
    "table_name": (child(table_name="x"), "table_name"),
    "max_table_nesting": (child(max_table_nesting=0), "max_table_nesting"),
    "schema_contract": (child(schema_contract="freeze"), "schema_contract"),
    "file_format": (child(file_format="parquet"), "file_format"),
    "references": (child(references=[{"referenced_table": "forms"}]), "references"),
    "filter": (child(processing_steps=[{"filter": bool}]), "processing_steps.filter"),
    "yield_map": (child(processing_steps=[{"yield_map": list}]), "processing_steps.yield_map"),
    "append": (child(write_disposition="append"), "write_disposition"),
    "no write_disposition": (
        lambda: declare(FORMS, defaults={**DEFAULTS, "write_disposition": None}),
        "write_disposition"),
    "merge without a parent": (
        lambda: declare({**FORMS, "write_disposition": MERGE}), "write_disposition"),
    "scd2": (
        child(write_disposition={"disposition": "merge", "strategy": "scd2"}), "write_disposition"),
    "another merge_key": (child(merge_key="id"), "merge_key"),
    "merge_key without a parent": (lambda: declare({**FORMS, "merge_key": "id"}), "merge_key"),
    "a primary key of two fields": (
        lambda: declare({**FORMS, "primary_key": ["id", "title"]}), "primary_key"),
    "a primary key that may be null": (
        lambda: declare({**FORMS, "primary_key": "title"}), "primary_key"),
    "no primary key": (
        lambda: declare(FORMS, defaults={**DEFAULTS, "primary_key": None}), "primary_key"),
    "no columns": (child(columns=None), "columns"),
    "columns as list": (child(columns=[{"name": "id"}]), "columns"),
    "a column's type": (column(data_type="timestamp"), "columns.title.data_type"),
    "a column's hint": (column(unique=True), "columns.title.unique"),
    "a column of another name": (column(name="x"), "columns.title.name"),
    "a parent's id that is no text": (
        child(columns=columns(required="form_id id", bigint="form_id", text="id")),
        "columns.form_id"),
    "two columns of one name": (
        lambda: declare({**FORMS, "columns": columns(required="id", text="id endDate end_date")}),
        "columns.end_date"),
    "a column that is no name": (
        lambda: declare({**FORMS, "columns": columns(required="id", text="id 日本")}),
        "columns.日本"),
    "a column of the server's": (
        lambda: declare({**FORMS, "columns": columns(required="id", text="id xmin")}),
        "columns.xmin"),
    "a resource as text": (lambda: declare("forms"), "resources"),
    "a resource of dlt's": (lambda: declare(object()), "resources"),
    "two resources of one name": (
        lambda: declare(FORMS, {**FORMS, "name": "Forms"}), "resources.Forms"),
    "a resource of ours": (lambda: declare({**FORMS, "name": "_syncs"}), "resources._syncs"),
    "another base URL": (client(base_url="https://x.test"), "client.base_url"),
    "a session": (client(session=object()), "client.session"),
    "auth as text": (client(auth="bearer"), "client.auth"),
    "auth of another type": (client(auth={"type": "digest"}), "client.auth.type"),
    "OAuth2": (
        client(auth={"type": "oauth2_client_credentials", "client_id": "x"}), "client.auth.type"),
    "OAuth2 as an instance": (
        client(auth=OAuth2ClientCredentials("https://x.test", "a", "b")), "client.auth.type"),
    "partitions of an unknown resource": (parent("id", resource="quizzes"), "resource"),
    "partitions by an undeclared column": (parent("id", "endDate"), "columns"),
    "partitions by another key": (
        lambda: declare(
            FORMS, {**ANSWERS, **replaced_by("form_id")},
            parents=[Parent("forms", "forms", key="title")]),
        "field"),
    "activity in an undeclared column": (
        lambda: declare(FORMS, ANSWERS, parents=[
            Parent("forms", "forms", ["id"], activity=[("answers", "form_id", "at")])]),
        "activity"),
}  # fmt: skip
FAULTS = {
    **{f"declared: {name}": f"refused: `{key}`" for name, (_, key) in REFUSED.items()},
    "declared: `{resources.forms.id}` in a path": "filled with the parent's id",
    "declared: the key in headers or params": "sent",
    "declared: formId, endDate, formAnswers": "columns and table in snake_case",
}


@pytest.mark.parametrize(("made", "key"), REFUSED.values(), ids=REFUSED)
def test_what_would_not_be_done_is_refused_by_name(made: Callable[[], Api], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        made()
    message = str(caught.value)
    assert f"`{key}" in message
    assert message.startswith(NAME)
    assert message.endswith(".")
    assert len(message) < 400


def test_the_credential_in_a_path_is_refused() -> None:
    def config(base_url: str, key: str) -> Any:
        endpoint = {"path": f"/{key}/forms", "data_selector": "data", "paginator": NextLink()}
        return {
            "client": {"base_url": base_url},
            "resources": [{**FORMS, **DEFAULTS, "endpoint": endpoint}],
        }

    with pytest.raises(ConfigurationError, match=r"`endpoint.path` holds the credential"):
        Api(NAME, config, ApiKeySettings, windows=[RateWindow(60, 60)])


def test_the_command_line_tells_an_api_that_is_declared_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "apis", REFUSED["POST"][0])
    assert cli.main([]) == 1
    said = capsys.readouterr().out
    assert said.startswith("error: surveys, resource answers: `endpoint.method` must be 'GET'")


def test_an_api_whose_name_is_no_dataset_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="survey_monkey"):
        Api("surveyMonkey", declare(FORMS).config, ApiKeySettings, windows=[RateWindow(60, 60)])


def errors(world: World, *resources: str) -> list[str]:
    found = world.sync(NAME, *resources)
    return [listing.error for listing in found.values() if listing.error]


def test_headers_params_and_defaults_are_sent_with_their_secrets(world: World) -> None:
    def config(base_url: str, key: str) -> Any:
        return {
            "client": {
                "base_url": base_url,
                "auth": {"type": "bearer", "token": key},
                "headers": {"X-Key": key, "X-Of": "client"},
                "paginator": NextLink(),
            },
            "resource_defaults": {
                **DEFAULTS,
                "endpoint": {"data_selector": "data", "params": {"lang": "en", "k": key}},
            },
            "resources": [
                {**FORMS, "endpoint": "forms"},
                {
                    **FORMS,
                    "name": "quizzes",
                    "endpoint": {"headers": {"X-Of": "it"}, "params": {"a": 1}},
                },
            ],
        }

    install(world, Api(NAME, config, ApiKeySettings, windows=[RateWindow(60, 60)]))
    world.api.lists["/forms"] = world.api.lists["/quizzes"] = [{"id": "1"}]
    assert errors(world, "forms", "quizzes") == []
    (forms,), (quizzes,) = world.api.asked("/forms"), world.api.asked("/quizzes")
    key = SECRETS["affiliates"]
    assert (forms.headers["x-key"], forms.headers["x-of"]) == (key, "client")
    assert (quizzes.headers["x-key"], quizzes.headers["x-of"]) == (key, "it")
    assert forms.query == {"lang": "en", "k": key}
    assert quizzes.query == {"lang": "en", "k": key, "a": "1"}


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        ({}, "form_id"),
        ({"primary_key": "id"}, "forms_id"),
        ({"primary_key": "id", **replaced_by("formId")}, "form_id"),
    ],
)
def test_an_expression_in_the_path_names_the_parent(
    world: World, hints: dict[str, Any], expected: str
) -> None:
    endpoint = {"path": "/forms/{resources.forms.id}/answers"}
    kept = columns(required="id", text="id", bigint="score")
    answers = {**ANSWERS, "endpoint": endpoint, "columns": kept, **hints}
    api = declare(FORMS, answers, parents=[FORM_PARTITIONS])
    install(world, api)
    assert api.endpoints["answers"].partitioned == ("merge_key" in hints)
    offer(world, f1="ab", f2="a")
    assert errors(world, "forms", "answers") == []
    assert errors(world, "forms", "answers") == []
    found = [f"{row[expected]} {row['id']}" for row in world.rows("surveys.answers")]
    assert sorted(found) == ["f1 a", "f1 b", "f2 a"]


def test_a_parent_may_be_known_by_another_field(world: World) -> None:
    forms = {**FORMS, "columns": columns(required="id number", text="id", bigint="number")}
    answers = {
        **ANSWERS,
        "primary_key": ["number", "id"],
        "endpoint": {"path": "/forms/{number}/answers", "params": {"number": BY_NUMBER}},
        "columns": columns(required="number id", text="number id"),
    }
    definitions = install(world, declare(forms, answers))
    world.api.lists["/forms"] = [{"id": "a", "number": 7}, {"id": "b", "number": 8}]
    world.api.lists.update({"/forms/7/answers": [{"id": "x"}], "/forms/8/answers": [{"id": "x"}]})
    with local_instance(world.folder) as instance:
        runs = DagsterRuns(instance, definitions=definitions)
        assert runs.run("surveys/forms", "surveys/answers").success
        assert runs.check("surveys/answers", "parents_exist").passed
    assert [row["number"] for row in world.rows("surveys.answers")] == ["7", "8"]
    with pytest.raises(ConfigurationError, match=r"`field` must be 'id'"):
        declare(forms, {**answers, "merge_key": "number"}, parents=[FORM_PARTITIONS])


FEEDBACK = {
    "name": "feedbackForms",
    "endpoint": {"path": "/forms"},
    "columns": columns(
        required="id", text="id endDate brand__displayName", bigint="maxAnswers", json="metaData"
    ),
}
FORM_ANSWERS = {
    "name": "formAnswers",
    **replaced_by("formId"),
    "endpoint": {"path": "/forms/{formId}/answers", "params": below("feedbackForms", "formId")},
    "columns": columns(
        required="formId answerId", text="formId answerId answeredAt", bigint="totalScore"
    ),
    "primary_key": ["formId", "answerId"],
}


@pytest.fixture
def camel(world: World) -> Iterator[DagsterRuns]:
    """An API whose names are in camelCase, with two forms of which one is over."""
    definitions = install(
        world,
        declare(
            FEEDBACK,
            FORM_ANSWERS,
            parents=[
                Parent(
                    "feedbackForms",
                    "feedback",
                    ["id", "endDate"],
                    lambda form: Life(end=form["endDate"]),
                    activity=[("formAnswers", "formId", "answeredAt")],
                )
            ],
        ),
    )
    world.api.lists["/forms"] = [
        {"id": "1", "endDate": None, "maxAnswers": 5, "metaData": {"aB": 1},
         "brand": {"displayName": "B"}},
        {"id": "2", "endDate": "2020-01-01", "maxAnswers": 6, "metaData": None, "brand": None},
    ]  # fmt: skip
    for form in "12":
        world.api.lists[f"/forms/{form}/answers"] = [
            {"formId": int(form), "answerId": n, "totalScore": 3, "answeredAt": "2020-01-01"}
            for n in "ab"
        ]
    with local_instance(world.folder) as instance:
        yield DagsterRuns(instance, definitions=definitions)


@pytest.mark.long
def test_names_in_camel_case_work_for_ever(world: World, camel: DagsterRuns) -> None:
    for _ in range(2):
        assert camel.run("surveys/feedback_forms").success
        result = camel.tick("surveys_feedback_partitions")
        if isinstance(result, dg.SensorResult):
            assert camel.instance.get_dynamic_partitions("feedback") == ["1", "2"]
        assert camel.run_range("feedback", "surveys/form_answers").success
    (form, _) = world.rows("surveys.feedback_forms")
    assert form == {
        "id": "1", "max_answers": 5, "brand__display_name": "B", "meta_data": '{"aB":1}'
    }  # fmt: skip
    answers = {"total_score": 3, "answered_at": "2020-01-01"}
    assert world.rows("surveys.form_answers") == [
        {"form_id": form, "answer_id": n, **answers} for form in "12" for n in "ab"
    ]
    for asset in ("feedback_forms", "form_answers"):
        graph = camel.definitions.resolve_asset_graph()
        for key in graph.get(dg.AssetKey([NAME, asset])).check_keys:
            check = camel.check(f"{NAME}/{asset}", key.name)
            assert check.passed, (key, check.metadata)
    history = state(declared(world)).histories[ListKey("form_answers", "2")]
    assert (history.final, history.new_fields, history.missing_fields) == (
        True,
        frozenset(),
        frozenset(),
    )
    world.api.lists["/forms/1/answers"].pop()
    assert camel.run("surveys/form_answers", partition="1").success
    assert len(world.rows("surveys.form_answers")) == 3


def declared(world: World) -> Api:
    """The API that a world was told of last."""
    from sync_assets_tests.support.world import APIS

    return APIS[NAME]


def test_a_resource_is_known_by_its_declared_name_too(world: World, camel: DagsterRuns) -> None:
    found = world.sync(NAME, "formAnswers", parents={"feedbackForms": ["1"]})
    assert {name: listing.rows for name, listing in found.items()} == {"form_answers of 1": 2}
