"""Event series."""

from sync_assets.sandbox.events.occurrences import (
    event_ordinals,
    event_start,
    listed_series,
    series_name,
    series_pace,
    series_venue,
)
from sync_assets.sandbox.events.ticket_types import ticket_types
from sync_assets.sandbox.events.vouchers import voucher_pace
from sync_assets.sandbox.instant import DAY, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.times import time_object


def events_series(instant: Instant) -> Listing:
    """List the event series."""
    return Listing(listed_series(instant), lambda number: _row(instant, number), prefix="es_")


def _row(instant: Instant, number: int) -> Row:
    dice, created = instant.dice("series", number), series_pace(instant).at(number)
    occurrences = event_ordinals(instant, number)
    upcoming = [n for n in occurrences if event_start(number, n) > instant.now]
    issued = (instant.now - created) // DAY
    listed = listed_series(instant)
    return {
        "id": f"es_{number}",
        "object": "event_series",
        "name": series_name(number),
        "status": "published",
        "call_to_action": dice.pick((None, "Buy tickets", "Réserver")),
        "created_at": created,
        "currency": "eur",
        "timezone": dice.pick(("Europe/Paris", "Asia/Tokyo", "Europe/London")),
        "url": f"https://tickets.example.com/es_{number}",
        "online_event": dice.pick(("no", "no", "yes")),
        "private": dice.pick(("false", "false", "true")),
        "images": {"header": f"https://cdn.example.com/{number}.jpg", "thumbnail": None},
        "venue": series_venue(number),
        "next_occurrence_date": time_object(event_start(number, upcoming[0])) if upcoming else None,
        "total_occurrences": len(occurrences),
        "upcoming_occurrences": len(upcoming),
        "total_issued_tickets": issued,
        "revenue": issued * 2500,
        "default_ticket_types": ticket_types(number, issued),
        "default_ticket_groups": [],
        "bundles": [],
        "add_ons": [{"id": f"ao_{number}", "name": "Parking 🅿"}] if number % 3 == 0 else [],
        "payment_methods": [{"id": "pm_1", "type": "stripe", "name": "Card"}],
        "voucher_ids": [
            f"vo_{voucher}"
            for voucher in voucher_pace(instant).newest(instant.now)
            if listed[voucher % len(listed)] == number
        ],
    }
