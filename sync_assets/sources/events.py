"""The events API: ticketing, from series and events to orders, tickets, vouchers and waitlists.

import dlt
from sync_assets.sources.events import events

dlt.pipeline("events", destination="duckdb").run(events())
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlt.sources.rest_api.typing import EndpointResource, RESTAPIConfig

from sync_assets.base.times import EVER, parse_time
from sync_assets.sources.rest import (
    REPLACE,
    Api,
    ApiKeySettings,
    LastId,
    Life,
    Parent,
    RateWindow,
    below,
    child,
    columns,
    dlt_source,
)
from sync_assets.sources.rest.api import ACTIVITY
from sync_assets.sources.rest.records.columns import TColumns

COLUMNS: dict[str, TColumns] = {
    "events_series": columns(
        required="id",
        text="id call_to_action currency name object online_event private status timezone url",
        bigint="created_at revenue total_issued_tickets total_occurrences upcoming_occurrences",
        json="add_ons bundles default_ticket_groups default_ticket_types images"
        " next_occurrence_date payment_methods venue voucher_ids",
    ),
    "events": columns(
        required="event_series_id id",
        text="id event_series_id chk currency hidden object tickets_available unavailable",
        bigint="revenue total_issued_tickets",
        json="bundles end start ticket_groups ticket_types",
    ),
    "products": columns(
        required="id",
        text="id currency fulfilment_type linked_to_all_event_series name object status",
        bigint="price",
        json="created_at updated_at",
    ),
    "vouchers": columns(
        required="id",
        text="id currency name object partial_redemption type usable_on_any_event",
        bigint="available_codes total_codes value",
        json="event_series_ids expiry",
    ),
    "vouchers_codes": columns(
        required="voucher_id id", text="id voucher_id code object", bigint="value", json="expiry"
    ),
    "discounts": columns(
        required="id",
        text="id code name object type",
        bigint="booking_fee_amount face_value_amount",
        json="products ticket_types",
    ),
    "check_ins": columns(
        required="id",
        text="id event_id event_series_id issued_ticket_id object",
        bigint="check_in_at created_at quantity",
    ),
    "issued_tickets": columns(
        required="id",
        text="id barcode barcode_url checked_in description email event_id event_series_id"
        " first_name full_name last_name object order_id qr_code_url source status"
        " ticket_type_id",
        bigint="created_at updated_at",
        json="custom_questions",
    ),
    "orders": columns(
        required="id",
        text="id object status tax_treatment txn_id",
        bigint="created_at credited_out_amount refund_amount subtotal tax total total_paid",
        json="buyer_details currency event_summary issued_tickets line_items meta_data"
        " payment_method",
    ),
    "waitlists": columns(
        required="event_series_id id", text="id event_series_id email event_id object",
        json="created_at",
    ),
}  # fmt: skip


def table(name: str, path: str) -> EndpointResource:
    """A resource that is one list."""
    return {"name": name, "endpoint": {"path": path}, "columns": COLUMNS[name]}


def of_series(name: str, path: str) -> EndpointResource:
    """A resource below each event series."""
    return child(name, path, of="events_series", columns=COLUMNS[name])


def config(base_url: str, api_key: str) -> RESTAPIConfig:
    """The API as dlt's `rest_api` describes one."""
    auth: Any = {"type": "http_basic", "username": api_key, "password": ""}
    return {
        "client": {"base_url": base_url, "auth": auth},
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": REPLACE,
            "endpoint": {"data_selector": "data", "paginator": LastId()},
        },
        "resources": [
            table("events_series", "/event_series"),
            of_series("events", "/event_series/{event_series_id}/events"),
            of_series("waitlists", "/event_series/{event_series_id}/waitlist_signups"),
            table("products", "/products"),
            table("vouchers", "/vouchers"),
            {
                "name": "vouchers_codes",
                "primary_key": ["voucher_id", "id"],
                "endpoint": {
                    "path": "/vouchers/{voucher_id}/codes",
                    "params": below("vouchers", "voucher_id"),
                },
                "columns": COLUMNS["vouchers_codes"],
            },
            table("discounts", "/discounts"),
            table("check_ins", "/check_ins"),
            table("issued_tickets", "/issued_tickets"),
            table("orders", "/orders"),
        ],
    }


def life(series: Mapping[str, Any]) -> Life:
    """Open while something is to come; then until its last event, ticket or other sign of life."""
    upcoming = series["upcoming_occurrences"]
    if upcoming is None or upcoming > 0:
        return Life()
    signs = (parse_time(series["created_at"]), series[ACTIVITY])
    return Life(end=max((sign for sign in signs if sign is not None), default=EVER))


API = Api(
    "events",
    config,
    ApiKeySettings,
    windows=[RateWindow(5_000, 1_800)],
    page_size=100,
    parents=[
        Parent(
            "events_series",
            "event_series",
            ["id", "upcoming_occurrences", "created_at"],
            life,
            activity=[
                ("issued_tickets", "event_series_id", "created_at"),
                ("events", "event_series_id", "end"),
            ],
        )
    ],
)

#: Ten tables; `events(parents={"events_series": ids})` reads the children of these alone.
events = dlt_source(API)
