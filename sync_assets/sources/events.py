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
    ACTIVITY,
    REPLACE,
    Api,
    ApiKeySettings,
    LastId,
    Life,
    Parent,
    RateWindow,
    below,
    boolean,
    child,
    dlt_source,
    integer,
    json,
    money,
    text,
    timestamp,
)

OBJECT = text("What the API calls such a record.")
SERIES = text("The event series.", refers="events_series", shows="name")
PARENT_SERIES = text("The event series.", required=True, refers="events_series", shows="name")
EVENT = text("The event: one date of the series.", refers="events", shows="start")
CURRENCY = text("The ISO 4217 code, in small letters.")
#: What nothing but an order says: how many of the smallest unit of its currency make one.
OF_ORDER: dict[str, Any] = {"currency": "currency__code", "multiplier": "currency__base_multiplier"}
OF_DISCOUNT = "the account's currency; the API sends none"
QUESTIONS = json("Answers to the organizer's questions: a list.", personal=True)
COLUMNS: dict[str, dict[str, Any]] = {
    "events_series": {
        "id": text("The event series.", required=True),
        "call_to_action": text("What the button says."),
        "currency": CURRENCY,
        "name": text("Its name."),
        "object": OBJECT,
        "online_event": boolean("Whether it takes place online.", sent="text"),
        "private": boolean("Whether only who has the link finds it.", sent="text"),
        "status": text("draft, published or close_sales."),
        "timezone": text("The IANA name of its time zone."),
        "url": text("Its page."),
        "created_at": timestamp("When it was made.", sent="unix"),
        "revenue": money("What its orders brought.", currency="currency"),
        "total_issued_tickets": integer("Tickets issued so far."),
        "total_occurrences": integer("How many events it has."),
        "upcoming_occurrences": integer("How many of them are to come."),
        "add_ons": json("What can be bought beside tickets: a list."),
        "bundles": json("Bundles of tickets: a list."),
        "default_ticket_groups": json("Groups of ticket types: a list."),
        "default_ticket_types": json("Ticket types of its events: a list; prices in cents."),
        "images": json("Pictures.", header=text("At the top."), thumbnail=text("Small.")),
        "next_occurrence_date": timestamp("When the next event begins.", sent="object"),
        "payment_methods": json("How tickets can be paid: a list."),
        "venue": json("Where.", postal_code=text("Its postal code.")),
        "voucher_ids": json("The vouchers that are good for it: a list of ids."),
    },
    "events": {
        "event_series_id": PARENT_SERIES,
        "id": text("The event: one date of the series.", required=True),
        "chk": text("A check digit of the API's."),
        "currency": CURRENCY,
        "hidden": boolean("Whether it is hidden.", sent="text"),
        "object": OBJECT,
        "tickets_available": boolean("Whether there are tickets left.", sent="text"),
        "unavailable": boolean("Whether it cannot be booked.", sent="text"),
        "revenue": money("What its orders brought.", currency="currency"),
        "total_issued_tickets": integer("Tickets issued so far."),
        "bundles": json("Bundles of tickets: a list."),
        "end": timestamp("When it ends.", sent="object"),
        "start": timestamp("When it begins.", sent="object"),
        "ticket_groups": json("Groups of ticket types: a list."),
        "ticket_types": json("Its ticket types: a list; prices in cents."),
    },
    "products": {
        "id": text("The product: something sold beside tickets.", required=True),
        "currency": CURRENCY,
        "fulfilment_type": text("How it is handed over."),
        "linked_to_all_event_series": boolean("Whether each series sells it.", sent="text"),
        "name": text("Its name."),
        "object": OBJECT,
        "status": text("active or inactive."),
        "price": money("What one costs.", currency="currency"),
        "created_at": timestamp("When it was made.", sent="object"),
        "updated_at": timestamp("When it was last changed.", sent="object"),
    },
    "vouchers": {
        "id": text("The voucher.", required=True),
        "currency": CURRENCY,
        "name": text("Its name."),
        "object": OBJECT,
        "partial_redemption": boolean("Whether a code can be used up bit by bit.", sent="text"),
        "type": text("money, for instance."),
        "usable_on_any_event": boolean("Whether it is good for each event.", sent="text"),
        "available_codes": integer("Codes that are left."),
        "total_codes": integer("Codes in all."),
        "value": money("What a code is worth.", currency="currency"),
        "event_series_ids": json("The series that it is good for: a list of ids."),
        "expiry": timestamp("Until when it is good.", sent="object"),
    },
    "vouchers_codes": {
        "voucher_id": text("The voucher.", required=True, refers="vouchers", shows="name currency"),
        "id": text("The code's id; unique within its voucher.", required=True),
        "code": text("What a buyer enters."),
        "object": OBJECT,
        "value": money("What is left of it.", currency="voucher_currency"),
        "expiry": timestamp("Until when it is good.", sent="object"),
    },
    "discounts": {
        "id": text("The discount.", required=True),
        "code": text("What a buyer enters."),
        "name": text("Its name."),
        "object": OBJECT,
        "type": text("fixed_amount or percentage."),
        "booking_fee_amount": money("Off the booking fee.", unit=OF_DISCOUNT),
        "face_value_amount": money("Off the price.", unit=OF_DISCOUNT),
        "products": json("The products that it is good for: a list of ids."),
        "ticket_types": json("The ticket types that it is good for: a list of ids."),
    },
    "check_ins": {
        "id": text("The scan of a ticket.", required=True),
        "event_id": EVENT,
        "event_series_id": SERIES,
        "issued_ticket_id": text("The ticket.", refers="issued_tickets"),
        "object": OBJECT,
        "check_in_at": timestamp("When the ticket was scanned.", sent="unix"),
        "created_at": timestamp("When the API learned of it.", sent="unix"),
        "quantity": integer("1, or -1 where a scan was undone."),
    },
    "issued_tickets": {
        "id": text("The ticket.", required=True),
        "barcode": text("What is scanned."),
        "barcode_url": text("The barcode as a picture."),
        "checked_in": boolean("Whether it was scanned.", sent="text"),
        "description": text("The name of its ticket type."),
        "email": text("E-mail address of the holder.", personal=True),
        "event_id": EVENT,
        "event_series_id": SERIES,
        "first_name": text("First name of the holder.", personal=True),
        "full_name": text("Name of the holder.", personal=True),
        "last_name": text("Last name of the holder.", personal=True),
        "object": OBJECT,
        "order_id": text("The order.", refers="orders"),
        "qr_code_url": text("The QR code as a picture."),
        "source": text("Where it was sold: box_office, for instance."),
        "status": text("valid or voided."),
        "ticket_type_id": text("Its ticket type, in ticket_types of the event."),
        "created_at": timestamp("When it was issued.", sent="unix"),
        "updated_at": timestamp("When it was last changed.", sent="unix"),
        "custom_questions": QUESTIONS,
    },
    "orders": {
        "id": text("The order.", required=True),
        "object": OBJECT,
        "status": text("completed, pending or cancelled."),
        "tax_treatment": text("Whether prices include the tax: inclusive or exclusive."),
        "txn_id": text("The payment's id, of whoever took it."),
        "created_at": timestamp("When it was placed.", sent="unix"),
        "credited_out_amount": money("What was given back as credit.", **OF_ORDER),
        "refund_amount": money("What was paid back.", **OF_ORDER),
        "subtotal": money("Its items, before tax.", **OF_ORDER),
        "tax": money("The tax.", **OF_ORDER),
        "total": money("What it costs.", **OF_ORDER),
        "total_paid": money("What was paid.", **OF_ORDER),
        "buyer_details": json(
            "Who bought.",
            address=json(
                "The buyer's address.",
                address_1=text("Street.", personal=True),
                address_2=text("Second line.", personal=True),
                address_3=text("Third line.", personal=True),
                postal_code=text("Postal code.", personal=True),
            ),
            custom_questions=QUESTIONS,
            email=text("The buyer's e-mail address.", personal=True),
            first_name=text("The buyer's first name.", personal=True),
            last_name=text("The buyer's last name.", personal=True),
            name=text("The buyer's name.", personal=True),
            phone=text("The buyer's telephone number.", personal=True),
        ),
        "currency": json(
            "The currency of its amounts.",
            base_multiplier=integer("How many of the smallest unit make one: 100 for cents."),
            code=CURRENCY,
        ),
        "event_summary": json(
            "The event, as it was when the order was placed.",
            end_date=timestamp("When the event ends.", sent="object"),
            event_id=text("The event.", refers="events"),
            event_series_id=text("The event series.", refers="events_series"),
            id=text("The event, again."),
            name=text("The event's name."),
            start_date=timestamp("When the event begins.", sent="object"),
            venue=json("Where.", postal_code=text("Its postal code.")),
        ),
        "issued_tickets": json("Its tickets, as in issued_tickets: a list.", personal=True),
        "line_items": json("What was bought: a list; amounts in cents."),
        "meta_data": json("What an integration added: a list."),
        "payment_method": json("How it was paid.", type=text("stripe, for instance.")),
    },
    "waitlists": {
        "event_series_id": PARENT_SERIES,
        "id": text("The entry on the waiting list.", required=True),
        "email": text("E-mail address of who waits.", personal=True),
        "event_id": EVENT,
        "object": OBJECT,
        "created_at": timestamp("Since when.", sent="object"),
    },
}


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
