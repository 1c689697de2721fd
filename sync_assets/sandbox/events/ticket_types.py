"""The kinds of ticket a series sells."""

from sync_assets.sandbox.listing import Row

TICKETS = (("Adult", 2500), ("Child – under 12", 1200), ("VIP ⭐", 9900))


def ticket_types(number: int, issued: int) -> list[Row]:
    """Return the two or three kinds of ticket of a series."""
    return [
        {
            "id": f"tt_{number * 10 + order}",
            "object": "ticket_type",
            "name": name,
            "type": "paid",
            "status": "on_sale",
            "price": price,
            "booking_fee": price // 20,
            "has_overrides": "false",
            "min_per_order": 1,
            "max_per_order": (10, None)[order % 2],
            "quantity": 500 - issued // (order + 2),
            "quantity_held": order,
            "quantity_issued": issued // (order + 2),
            "quantity_total": 500 + order,
            "sort_order": order,
        }
        for order, (name, price) in enumerate(TICKETS[: 2 + number % 2])
    ]
