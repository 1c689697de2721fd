"""Coupons, most of which belong to an affiliate."""

from collections import defaultdict
from functools import lru_cache

from sync_assets.sandbox.affiliates.referrers import affiliate_pace
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.moment import DAY, Moment
from sync_assets.sandbox.pace import Pace


def coupons(moment: Moment) -> Listing:
    """List the coupons."""
    listed = _coupon_pace(moment).newest(moment.now)
    return Listing(listed, lambda number: coupon_row(moment, number))


def coupon_row(moment: Moment, number: int) -> Row:
    """Return a coupon as the API sends one."""
    dice = moment.dice("coupon", number)
    return {
        "id": number,
        "affiliate_id": _coupon_owner(moment, number),
        "coupon": f"{dice.pick(('SAVE', 'ÑAM', 'HELLO'))}{dice.code(5)}",
        "description": dice.pick((None, "10 % off", "Livraison gratuite 🚚")),
        "created_timestamp": _coupon_pace(moment).at(number),
    }


@lru_cache(maxsize=2)
def coupons_of(moment: Moment) -> defaultdict[int | None, list[int]]:
    """Return the numbers of the listed coupons of each affiliate."""
    coupons = defaultdict(list)
    for coupon in _coupon_pace(moment).newest(moment.now):
        coupons[_coupon_owner(moment, coupon)].append(coupon)
    return coupons


def _coupon_owner(moment: Moment, number: int) -> int | None:
    dice = moment.dice("coupon owner", number)
    unassigned = dice.once_in(9)
    return (
        None
        if unassigned
        else dice.pick(affiliate_pace(moment).lasting(_coupon_pace(moment).at(number)))
    )


def _coupon_pace(moment: Moment) -> Pace:
    return moment.pace("coupons", moment.scale.coupons, 80 * DAY)
