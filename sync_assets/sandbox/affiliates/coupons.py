"""Coupons, most of which belong to an affiliate."""

from collections import defaultdict
from functools import lru_cache

from sync_assets.sandbox.affiliates.referrers import affiliate_pace
from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import DAY, Instant
from sync_assets.sandbox.listing import Listing, Row


def coupons(instant: Instant) -> Listing:
    """List the coupons."""
    listed = _coupon_pace(instant).newest(instant.now)
    return Listing(listed, lambda number: coupon_row(instant, number))


def coupon_row(instant: Instant, number: int) -> Row:
    """Return a coupon as the API sends one."""
    dice = instant.dice("coupon", number)
    return {
        "id": number,
        "affiliate_id": _coupon_owner(instant, number),
        "coupon": f"{dice.pick(('SAVE', 'ÑAM', 'HELLO'))}{dice.code(5)}",
        "description": dice.pick((None, "10 % off", "Livraison gratuite 🚚")),
        "created_timestamp": _coupon_pace(instant).at(number),
    }


@lru_cache(maxsize=2)
def coupons_of(instant: Instant) -> defaultdict[int | None, list[int]]:
    """Return the numbers of the listed coupons of each affiliate."""
    coupons = defaultdict(list)
    for coupon in _coupon_pace(instant).newest(instant.now):
        coupons[_coupon_owner(instant, coupon)].append(coupon)
    return coupons


def _coupon_owner(instant: Instant, number: int) -> int | None:
    dice = instant.dice("coupon owner", number)
    unassigned = dice.once_in(9)
    return (
        None
        if unassigned
        else dice.pick(affiliate_pace(instant).lasting(_coupon_pace(instant).at(number)))
    )


def _coupon_pace(instant: Instant) -> GrowthCurve:
    return instant.pace("coupons", instant.scale.coupons, 80 * DAY)
