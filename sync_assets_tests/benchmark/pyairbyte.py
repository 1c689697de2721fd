"""PyAirbyte with a declarative source; competes where `airbyte` is installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sync_assets.sources.promotions import COLUMNS
from sync_assets_tests.benchmark.contenders import IN_FLIGHT, PAGED

PATHS = {"rankings": "ranking"}
TYPES = {"bigint": "integer", "bool": "boolean", "json": "object"}
MORE = "response.get('paging', {}).get('next_cursor')"
KEY: dict[str, Any] = {"value": "{{ stream_partition.promotion_id }}", "value_type": "string"}


def run(base_url: str, token: str, database: Path) -> None:
    """Read the promotions account into DuckDB."""
    os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")
    import airbyte
    from airbyte.caches import DuckDBCache

    source = airbyte.get_source(
        "source-promotions", config={}, source_manifest=_manifest(base_url, token), streams="*"
    )
    source.read(cache=DuckDBCache(db_path=database, schema_name="account"))


def _manifest(base_url: str, token: str) -> dict[str, Any]:
    parent = _stream("promotions", base_url, token)
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["promotions"]},
        "streams": [parent, *(_child(name, base_url, token, parent) for name in PAGED[1:])],
        "spec": {"type": "Spec", "connection_specification": {"type": "object"}},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": IN_FLIGHT},
    }


def _stream(name: str, base_url: str, token: str) -> dict[str, Any]:
    columns = {column: TYPES.get(str(spec.get("data_type")), "string")
               for column, spec in COLUMNS[name].items()}  # fmt: skip
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": base_url,
                "path": f"/{name}",
                "authenticator": {"type": "BearerAuthenticator", "api_token": token},
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["items"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "next_cursor",
                },
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "cursor_value": f"{{{{ {MORE} }}}}",
                    "stop_condition": f"{{{{ not {MORE} }}}}",
                },
            },
        },
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {
                "type": "object",
                "properties": {name: {"type": ["null", kind]} for name, kind in columns.items()},
            },
        },
    }


def _child(name: str, base_url: str, token: str, parent: dict[str, Any]) -> dict[str, Any]:
    stream = _stream(name, base_url, token)
    path = f"/{PATHS.get(name, name)}/{{{{ stream_partition.promotion_id }}}}"
    stream["retriever"]["requester"]["path"] = path
    stream["retriever"]["partition_router"] = {
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [
            {
                "type": "ParentStreamConfig",
                "stream": parent,
                "parent_key": "id",
                "partition_field": "promotion_id",
            }
        ],
    }
    added = {"type": "AddedFieldDefinition", "path": ["promotion_id"], **KEY}
    stream["transformations"] = [{"type": "AddFields", "fields": [added]}]
    stream["primary_key"] = ["promotion_id", "user_id" if name == "rankings" else "id"]
    return stream
