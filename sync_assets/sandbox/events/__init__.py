"""The events API: what takes place, and the tickets sold."""

from sync_assets.sandbox.events.catalog import discounts, products
from sync_assets.sandbox.events.events import events, waitlists
from sync_assets.sandbox.events.orders import orders
from sync_assets.sandbox.events.series import events_series
from sync_assets.sandbox.events.tickets import check_ins, issued_tickets
from sync_assets.sandbox.events.vouchers import vouchers, vouchers_codes
from sync_assets.sandbox.resource import ChildResource, Resource

_SERIES = Resource("events_series", "/event_series", events_series)
_VOUCHERS = Resource("vouchers", "/vouchers", vouchers)

RESOURCES = (
    _SERIES,
    ChildResource("events", "/event_series/{parent}/events", events, _SERIES),
    ChildResource("waitlists", "/event_series/{parent}/waitlist_signups", waitlists, _SERIES),
    Resource("products", "/products", products),
    _VOUCHERS,
    ChildResource("vouchers_codes", "/vouchers/{parent}/codes", vouchers_codes, _VOUCHERS),
    Resource("discounts", "/discounts", discounts),
    Resource("orders", "/orders", orders),
    Resource("issued_tickets", "/issued_tickets", issued_tickets),
    Resource("check_ins", "/check_ins", check_ins),
)
