"""Vouchers and their codes."""

from sync_assets.sandbox.events.occurrences import listed_series
from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import DAY, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.times import time_object


def voucher_pace(instant: Instant) -> GrowthCurve:
    """Return when vouchers are created."""
    return instant.pace("vouchers", instant.scale.vouchers, instant.scale.vouchers * 20 * DAY)


def vouchers(instant: Instant) -> Listing:
    """List the vouchers, of whose codes fewer are left every day."""
    pace, series = voucher_pace(instant), listed_series(instant)

    def row(number: int) -> Row:
        total = _code_count(instant, number)
        used = min(total, (instant.now - pace.at(number)) // DAY)
        anywhere = number % 3 == 0
        return {
            "id": f"vo_{number}",
            "object": "voucher",
            "name": f"{('Gift card', 'Chèque cadeau', 'お年玉')[number % 3]} {number}",
            "type": "money",
            "value": _value(number),
            "currency": "eur",
            "expiry": _expiry(instant, number),
            "partial_redemption": "true" if number % 2 else "false",
            "usable_on_any_event": "true" if anywhere else "false",
            "event_series_ids": [f"es_{series[number % len(series)]}"],
            "total_codes": total,
            "available_codes": total - used,
        }

    return Listing(pace.newest(instant.now), row, prefix="vo_")


def _value(number: int) -> int:
    return (1000, 2500, 5000)[number % 3]


def _code_count(instant: Instant, number: int) -> int:
    without = number % 8 == 0 and not instant.scale.exact
    return 0 if without else instant.size(instant.scale.voucher_codes, number)


def _expiry(instant: Instant, number: int) -> Row | None:
    return time_object(voucher_pace(instant).at(number) + 365 * DAY) if number % 4 else None


def vouchers_codes(instant: Instant, number: int) -> Listing:
    """List the codes of a voucher; ids are unique only within it."""

    def row(ordinal: int) -> Row:
        return {
            "id": f"vc_{ordinal + 1}",
            "object": "voucher_code",
            "voucher_id": f"vo_{number}",
            "code": instant.dice("voucher code", number, ordinal).code(10),
            "value": _value(number),
            "expiry": _expiry(instant, number),
        }

    return Listing(range(_code_count(instant, number)), row, prefix="vc_", offset=1)
