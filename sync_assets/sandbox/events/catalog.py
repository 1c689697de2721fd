"""Products sold beside tickets, and discounts."""

from sync_assets.sandbox.events.occurrences import listed_series
from sync_assets.sandbox.events.ticket_types import ticket_types
from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import DAY, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.times import time_object


def _product_pace(instant: Instant) -> GrowthCurve:
    return instant.pace("products", instant.scale.products, instant.scale.products * 60 * DAY)


def products(instant: Instant) -> Listing:
    """List the products."""
    pace = _product_pace(instant)

    def row(number: int) -> Row:
        dice, created = instant.dice("product", number), pace.at(number)
        updated = created + dice.below(20) * DAY
        return {
            "id": f"pr_{number}",
            "object": "product",
            "name": dice.pick(("Poster", "Tote bag – édition limitée", "Tシャツ", "Parking 🅿")),
            "price": dice.pick((0, 1500, 2999)),
            "currency": "eur",
            "status": "active",
            "fulfilment_type": dice.pick((None, "collection", "digital")),
            "linked_to_all_event_series": dice.pick(("true", "false")),
            "created_at": time_object(created),
            "updated_at": time_object(updated if updated <= instant.now else created),
        }

    return Listing(pace.newest(instant.now), row, prefix="pr_")


def discounts(instant: Instant) -> Listing:
    """List the discounts."""
    pace = instant.pace("discounts", instant.scale.discounts, instant.scale.discounts * 30 * DAY)
    sold, series = _product_pace(instant).newest(instant.now), listed_series(instant)

    def row(number: int) -> Row:
        dice = instant.dice("discount", number)
        types = ticket_types(dice.pick(series), 0)
        return {
            "id": f"di_{number}",
            "object": "discount",
            "name": dice.pick(("Early bird 🐦", "Étudiants", "Friends & family")),
            "code": dice.pick((None, dice.code(6))),
            "type": dice.pick(("fixed_amount", "percentage")),
            "face_value_amount": dice.pick((None, 500, 1000)),
            "booking_fee_amount": dice.pick((None, 0, 50)),
            "products": [f"pr_{product}" for product in sold[: dice.below(3)]],
            "ticket_types": [kind["id"] for kind in types[: dice.below(3)]],
        }

    return Listing(pace.newest(instant.now), row, prefix="di_")
