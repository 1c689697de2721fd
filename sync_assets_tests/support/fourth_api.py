"""A fourth API, declared as the README says, over the fake account's shape of affiliates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.sources.rest import (
    REPLACE,
    Api,
    ApiKeySettings,
    NextLink,
    Parent,
    RateWindow,
    below,
    columns,
)
from sync_assets_tests.support.fake_api import SECRETS
from sync_assets_tests.support.world import APIS, SETTINGS, World

NAME = "surveys"
DEFAULTS = {
    "primary_key": "id",
    "write_disposition": REPLACE,
    "endpoint": {"data_selector": "data", "paginator": NextLink()},
}
FORMS = {
    "name": "forms",
    "endpoint": {"path": "/forms"},
    "columns": columns(required="id", text="id title"),
}
ANSWERS = {
    "name": "answers",
    "primary_key": ["form_id", "id"],
    "endpoint": {"path": "/forms/{form_id}/answers", "params": below("forms", "form_id")},
    "columns": columns(required="form_id id", text="form_id id", bigint="score"),
}
FORM_PARTITIONS = Parent("forms", "forms", ["id"])


def declare(
    *resources: Any,
    parents: Sequence[Parent] = (),
    client: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] = DEFAULTS,
) -> Api:
    """An API of these resources."""

    def config(base_url: str, api_key: str) -> Any:
        auth = {"type": "bearer", "token": api_key}
        return {
            "client": {"base_url": base_url, "auth": auth, **(client or {})},
            "resource_defaults": dict(defaults),
            "resources": list(resources),
        }

    return Api(NAME, config, ApiKeySettings, windows=[RateWindow(60, 60)], parents=parents)


def install(world: World, api: Api) -> dg.Definitions:
    """Let a world know an API; gives what Dagster runs for it."""
    world.monkeypatch.setitem(APIS, api.name, api)
    world.configure(api.name, BASE_URL=world.api.base_url("affiliates"), **SETTINGS)
    world.configure(api.name, API_KEY=SECRETS["affiliates"])
    return build_api_definitions(api)


def offer(world: World, **answers: Sequence[Any]) -> None:
    """Forms with their answers; those of other forms stay where they are."""
    world.api.lists["/forms"] = [{"id": form, "title": f"Form {form}"} for form in answers]
    for form, records in answers.items():
        world.api.lists[f"/forms/{form}/answers"] = [
            record if isinstance(record, dict) else {"id": record, "score": 1} for record in records
        ]
