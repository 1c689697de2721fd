"""Orders, with their lines and the tickets they hold."""

from sync_assets.sandbox.events.occurrences import event_id, event_start, series_name, series_venue
from sync_assets.sandbox.events.sales import Sale, order_pace, sale
from sync_assets.sandbox.events.tickets import ticket_row, ticket_type
from sync_assets.sandbox.instant import HOUR, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.people import Person
from sync_assets.sandbox.times import time_object

NOT_EMBEDDED = ("first_name", "last_name", "full_name")


def orders(instant: Instant) -> Listing:
    """List the orders of the last fortnight."""
    return Listing(
        order_pace(instant).newest(instant.now),
        lambda number: _row(instant, number),
        prefix="or_",
    )


def _row(instant: Instant, number: int) -> Row:
    sold, dice = sale(instant, number), instant.dice("order", number)
    lines = _line_items(sold)
    subtotal = sum(line["total"] for line in lines)
    tax = subtotal // 11
    refund = subtotal if sold.cancelled else 0
    return {
        "id": f"or_{number}",
        "object": "order",
        "status": "cancelled" if sold.cancelled else "completed",
        "created_at": sold.created,
        "buyer_details": _buyer(sold.buyer, dice.pick((None, "+34 600 000 000")), dice.below(3)),
        "event_summary": _event_summary(sold),
        "currency": {"base_multiplier": 100, "code": "eur"},
        "line_items": lines,
        "issued_tickets": [_embedded(instant, ticket, sold) for ticket in sold.tickets],
        "subtotal": subtotal,
        "tax": tax,
        "tax_treatment": dice.pick((None, "inclusive", "inclusive")),
        "total": subtotal,
        "total_paid": subtotal,
        "refund_amount": refund,
        "credited_out_amount": 0,
        "payment_method": dice.pick((None, {"type": "stripe"}, {"type": "offline"})),
        "txn_id": dice.pick((None, f"ch_{dice.code(12)}")),
        "meta_data": dice.pick(([], [], [{"key": "source", "value": "affiche métro"}])),
    }


def _buyer(buyer: Person, phone: str | None, answers: int) -> Row:
    return {
        "first_name": buyer.first_name,
        "last_name": buyer.last_name,
        "name": buyer.full_name,
        "email": buyer.email,
        "phone": phone,
        "address": {
            "address_1": f"{answers + 1} rue de l’Église" if answers else None,
            "address_2": None,
            "address_3": None,
            "postal_code": "1820" if answers else None,
        },
        "custom_questions": [{"question": "How did you hear of us?", "answer": "友達"}] * answers,
    }


def _event_summary(sold: Sale) -> Row:
    start = event_start(sold.series, sold.event)
    return {
        "id": event_id(sold.series, sold.event),
        "event_id": event_id(sold.series, sold.event),
        "event_series_id": f"es_{sold.series}",
        "name": series_name(sold.series),
        "start_date": time_object(start),
        "end_date": time_object(start + 3 * HOUR),
        "venue": series_venue(sold.series),
    }


def _line_items(sold: Sale) -> list[Row]:
    kind = ticket_type(sold)
    quantity = len(sold.tickets)
    return [
        {
            "id": f"li_{sold.number}",
            "object": "line_item",
            "type": "ticket",
            "item_id": kind["id"],
            "description": kind["name"],
            "value": kind["price"],
            "booking_fee": kind["booking_fee"],
            "quantity": quantity,
            "total": quantity * (kind["price"] + kind["booking_fee"]),
        }
    ]


def _embedded(instant: Instant, ticket: int, sold: Sale) -> Row:
    row = ticket_row(instant, ticket, sold)
    return {key: value for key, value in row.items() if key not in NOT_EMBEDDED}
