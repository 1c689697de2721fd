"""Every key of dlt's `rest_api` configuration: how it is honoured, or why it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Section:
    """The keys of one part of a configuration: those that are honoured, and those refused."""

    honoured: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


SCHEMA = "tables are made as their columns declare them; remove it"
GUARDS = (
    "dlt's paginators take a missing sign for the end; give an instance of NextLink, BodyCursor, "
    "LastId or another AdvancingPaginator"
)
NESTED = "nested data stays in JSON columns; remove it"
WHOLE = "each sync reads whole lists; remove it"
ONE_LOGIN = "an API has one credential, client.auth; remove it"
BODY = "lists are read with GET and no body; remove it"
NAMED = "a table has the name of its resource; rename the resource"
KEYS = "declare it for the resource; remove it"

SECTIONS: dict[str, Section] = {
    "config": Section(
        {
            "client": "see client",
            "resource_defaults": "as of a resource; `endpoint`, `params`, `headers` are merged",
            "resources": "a list of dicts: resources as text or as DltResource are refused",
        }
    ),
    "client": Section(
        {
            "base_url": "the address that `config` is given, which comes from the settings",
            "auth": "a dict or an instance, of a bearer token, an API key or HTTP basic",
            "headers": "sent with each request",
            "paginator": "of each endpoint that has none",
        },
        {"session": "requests go through our session, which keeps the quota; remove it"},
    ),
    "auth bearer": Section(dict.fromkeys(("type", "token"), "as dlt does")),
    "auth api_key": Section(dict.fromkeys(("type", "api_key", "name", "location"), "as dlt does")),
    "auth http_basic": Section(dict.fromkeys(("type", "username", "password"), "as dlt does")),
    "auth oauth2_client_credentials": Section(
        {},
        dict.fromkeys(
            (
                "type",
                "access_token",
                "access_token_url",
                "client_id",
                "client_secret",
                "access_token_request_data",
                "default_token_expiration",
                "session",
            ),
            "credentials go to the base URL alone; use a bearer token, an API key or HTTP basic",
        ),
    ),
    "resource": Section(
        {
            "name": "names the asset and the table, in snake_case",
            "endpoint": "a dict, or the path as text",
            "columns": "a dict by field; see column",
            "primary_key": "one field, or below a parent its column and one field",
            "merge_key": "the parent's column: partitions, if the parent is a `Parent`",
            "write_disposition": "replace; below a parent also merge with delete-insert",
            "processing_steps": "see processing_steps",
            "parallelized": "True, as all lists are; False is refused",
            "selected": "True; False is refused",
        },
        {
            "include_from_parent": "a row has its parent's id: join the parent's table; remove it",
            "table_name": NAMED,
            "parent_table_name": NESTED,
            "nested_hints": NESTED,
            "max_table_nesting": NESTED,
            "schema_contract": "unknown fields are kept as text columns; remove it",
            "file_format": "the destination has its own; remove it",
            "table_format": SCHEMA,
            "references": SCHEMA,
        },
    ),
    "column": Section(
        {
            "name": "the key that it stands under",
            "data_type": "text, bigint, double, bool or json",
            "nullable": "as dlt does; a record without a value for one that is not is left out",
            "description": "shown in Dagster, in Postgres and in the typed view",
            **dict.fromkeys(
                ("x-form", "x-unit", "x-currency", "x-multiplier", "x-personal", "x-refers",
                 "x-fields"),
                "of the typed view, as the functions of `sync_assets.sources.rest` write them",
            ),
        },
        {
            **dict.fromkeys(("primary_key", "merge_key", "incremental"), KEYS),
            **dict.fromkeys(
                (
                    "precision", "scale", "timezone", "cluster", "partition", "sort",
                    "unique", "dedup_sort", "hard_delete", "parent_key", "root_key", "row_key",
                    "variant", "x-normalizer",
                ),
                SCHEMA,
            ),
        },
    ),
    "endpoint": Section(
        {
            "path": "below the base URL; the resource's name where there is none",
            "method": "GET; any other is refused",
            "params": "values as they are; one `resolve`",
            "headers": "sent with each request of the resource",
            "paginator": "an instance of a class of ours or of your own; dlt's are refused",
            "data_selector": "the name of the body's list, or a path of names to it: `data.items`",
            "response_actions": "functions of the response, and 404 with `ignore`: an empty list",
        },
        {
            "json": BODY,
            "data": BODY,
            "auth": ONE_LOGIN,
            "incremental": WHOLE,
        },
    ),
    "params resolve": Section(
        {
            "type": "`resolve`; or `{resources.<resource>.<field>}` in the path",
            "resource": "a resource of the API that is itself below none",
            "field": "a required column of the parent; `Parent.key` where the child is partitioned",
        }
    ),
    "params incremental, endpoint.incremental": Section(
        {},
        dict.fromkeys(
            (
                "type", "cursor_path", "initial_value", "last_value_func", "primary_key",
                "end_value", "row_order", "allow_external_schedulers", "on_cursor_value_missing",
                "lag", "range_start", "range_end", "convert", "start_param", "end_param",
            ),
            WHOLE,
        ),
    ),
    "response_actions": Section(
        {"status_code": "404", "action": "`ignore`"},
        {"content": "give a function of the response that raises instead"},
    ),
    "processing_steps": Section(
        {"map": "of each record, before anything is made of it"},
        {
            "filter": "the table holds what the API lists: filter in a view; remove it",
            "yield_map": "a record is a row: use map, or a view; remove it",
        },
    ),
    "paginator": Section(
        {},
        dict.fromkeys(
            (
                "type", "base_page", "page", "page_param", "total_path", "maximum_page",
                "stop_after_empty_page", "has_more_path", "page_body_path", "limit", "offset",
                "offset_param", "offset_body_path", "limit_param", "limit_body_path",
                "maximum_offset", "links_next_key", "next_url_path", "cursor_path", "cursor_param",
                "cursor_body_path", "cursor_key",
            ),
            GUARDS,
        ),
    ),
}  # fmt: skip
