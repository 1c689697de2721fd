"""Issued tickets and their check-ins."""

from functools import lru_cache

from sync_assets.sandbox.events.occurrences import event_id, event_start
from sync_assets.sandbox.events.sales import (
    CHECK_IN_DELAY,
    Sale,
    check_in_due,
    first_ticket,
    order_of,
    order_pace,
    sale,
)
from sync_assets.sandbox.events.ticket_types import ticket_types
from sync_assets.sandbox.instant import HOUR, MINUTE, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.people import person


def ticket_type(sold: Sale) -> Row:
    """Return the kind of ticket a sale is of."""
    kinds = _ticket_types(sold.series)
    return kinds[sold.number % len(kinds)]


@lru_cache(maxsize=1024)
def _ticket_types(series: int) -> list[Row]:
    return ticket_types(series, 0)


def ticket_row(instant: Instant, number: int, sold: Sale) -> Row:
    """Return a ticket as the API sends one."""
    dice = instant.dice("ticket", number)
    holder = sold.buyer if number == sold.tickets[0] else person(dice)
    returned = sold.created + HOUR + dice.below(4 * 24) * HOUR
    comes_back = number % 2 and dice.once_in(12) and returned <= instant.now
    voided = sold.cancelled or (returned if comes_back else None)
    due = check_in_due(instant, sold.created)
    scanned = due if number % 2 == 0 and due <= instant.now else None
    code = dice.code(7)
    kind = ticket_type(sold)
    return {
        "id": f"it_{number}",
        "object": "issued_ticket",
        "order_id": f"or_{sold.number}",
        "event_id": event_id(sold.series, sold.event),
        "event_series_id": f"es_{sold.series}",
        "ticket_type_id": kind["id"],
        "description": kind["name"],
        "status": "voided" if voided else "valid",
        "checked_in": "true" if scanned else "false",
        "first_name": holder.first_name,
        "last_name": holder.last_name,
        "full_name": holder.full_name,
        "email": None if dice.once_in(12) else holder.email,
        "barcode": code,
        "barcode_url": f"https://tickets.example.com/barcode/{code}",
        "qr_code_url": f"https://tickets.example.com/qr/{code}",
        "source": dice.pick((None, "checkout", "box_office")),
        "custom_questions": [{"question": "T-shirt?", "answer": "Größe M"}] * dice.below(2),
        "created_at": sold.created,
        "updated_at": voided or scanned or sold.created,
    }


def issued_tickets(instant: Instant) -> Listing:
    """List the tickets of the listed orders."""
    listed = order_pace(instant).newest(instant.now)
    return Listing(
        range(first_ticket(listed.start), first_ticket(listed.stop)),
        lambda number: ticket_row(instant, number, sale(instant, order_of(number))),
        prefix="it_",
    )


def check_ins(instant: Instant) -> Listing:
    """List the check-ins: one of every second ticket, once its event has begun."""
    pace = order_pace(instant)
    listed = pace.newest(instant.now)
    due = instant.now if instant.scale.exact else instant.now - CHECK_IN_DELAY
    start, end = (-(-first_ticket(order) // 2) for order in (listed.start, pace.until(due)))

    def row(number: int) -> Row:
        sold, dice = sale(instant, order_of(2 * number)), instant.dice("check-in", number)
        known = check_in_due(instant, sold.created)
        doors = event_start(sold.series, sold.event) - 30 * MINUTE
        return {
            "id": f"ci_{number}",
            "object": "check_in",
            "issued_ticket_id": f"it_{2 * number}",
            "event_id": event_id(sold.series, sold.event),
            "event_series_id": f"es_{sold.series}",
            "check_in_at": min(known, doors + dice.below(90) * MINUTE),
            "created_at": known,
            "quantity": 1,
        }

    return Listing(range(start, max(start, end)), row, prefix="ci_")
