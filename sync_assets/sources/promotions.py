"""The promotions API: contests, and the stages, users, participations, prizes and rankings of each.

import dlt
from sync_assets.sources.promotions import promotions

dlt.pipeline("promotions", destination="duckdb").run(promotions())
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlt.sources.rest_api.typing import EndpointResource, RESTAPIConfig
from requests import Response

from sync_assets.sources.rest import (
    REPLACE,
    Api,
    BearerTokenSettings,
    BodyCursor,
    Life,
    Parent,
    RateWindow,
    child,
    columns,
    dlt_source,
)
from sync_assets.sources.rest.life import between
from sync_assets.sources.rest.records.columns import TColumns

KEY = "promotion_id id"
COLUMNS: dict[str, TColumns] = {
    "promotions": columns(
        required="id",
        text="id created default_language description end_date organizing_brand__id"
        " organizing_brand__name promotion_type start_date status timezone title url",
    ),
    "organizing_brands": columns(required="id", text="id name"),
    "stages": columns(
        required=KEY, text="id promotion_id end_date name start_date type", boolean="visible"
    ),
    "users": columns(
        required=KEY,
        text="id promotion_id country created email external_id first_name language last_name"
        " login_type nickname status",
        json="custom_properties meta_data",
    ),
    "participations": columns(
        required=KEY,
        text="id promotion_id created ip stage_id user_agent user_id",
        json="data",
    ),
    "prizes": columns(
        required=KEY,
        text="id promotion_id code created download_url participation_id redeem_url stage_id"
        " user_id",
        json="prize_type user",
    ),
    "rankings": columns(
        required=KEY, text="id promotion_id user_id name points", bigint="position"
    ),
}


def bare_list(response: Response) -> None:
    """Give a bare list of rankings the envelope of every other list."""
    if response.content.lstrip().startswith(b"["):
        response._content = b'{"items": ' + response.content + b"}"


def ranking_id(row: dict[str, Any]) -> dict[str, Any]:
    """Rankings may lack an id: the user is the key then, or the position and who shares it."""
    own = next((row[k] for k in ("id", "user_id") if row.get(k) is not None), None)
    if own is None and row.get("position") is not None:
        own = " ".join(str(row[k]) for k in ("position", "name") if row.get(k) is not None)
    return {**row, "id": own}


def table(name: str) -> EndpointResource:
    """A resource that is one list."""
    return {"name": name, "endpoint": {"path": f"/{name}"}, "columns": COLUMNS[name]}


def of_promotion(name: str, path: str, **endpoint: Any) -> EndpointResource:
    """A resource below each promotion."""
    return child(name, path, of="promotions", columns=COLUMNS[name], **endpoint)


def config(base_url: str, bearer_token: str) -> RESTAPIConfig:
    """The API as dlt's `rest_api` describes one."""
    no_ranking: Any = {"status_code": 404, "action": "ignore"}
    return {
        "client": {"base_url": base_url, "auth": {"type": "bearer", "token": bearer_token}},
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": REPLACE,
            "endpoint": {
                "data_selector": "items",
                "paginator": BodyCursor("paging", "next_cursor"),
            },
        },
        "resources": [
            table("promotions"),
            table("organizing_brands"),
            of_promotion("stages", "/stages/{promotion_id}"),
            of_promotion("users", "/users/{promotion_id}"),
            of_promotion("participations", "/participations/{promotion_id}"),
            of_promotion("prizes", "/prizes/{promotion_id}"),
            {
                **of_promotion(
                    "rankings",
                    "/ranking/{promotion_id}",
                    response_actions=[no_ranking, bare_list],
                    paginator=BodyCursor("paging", "next_cursor", required=False),
                ),
                "processing_steps": [{"map": ranking_id}],
            },
        ],
    }


def life(promotion: Mapping[str, Any]) -> Life:
    """From its start to its end, as the promotion says."""
    return between(promotion, "start_date", "end_date")


API = Api(
    "promotions",
    config,
    BearerTokenSettings,
    windows=[RateWindow(200, 60)],
    parents=[Parent("promotions", "promotions", ["id", "start_date", "end_date"], life)],
)

#: Seven tables; `promotions(parents={"promotions": ids})` reads the children of these alone.
promotions = dlt_source(API)
