"""Affiliates."""

from sync_assets.sandbox.affiliates.coupons import coupon_row, coupons_of
from sync_assets.sandbox.affiliates.referrers import affiliate_pace, affiliate_person
from sync_assets.sandbox.instant import Instant
from sync_assets.sandbox.listing import Listing, Row

PROGRAMS = ("Default program", "Créateurs", "VIP ⭐")


def affiliates(instant: Instant) -> Listing:
    """List the affiliates."""
    pace = affiliate_pace(instant)
    listed = pace.newest(instant.now)

    def row(number: int) -> Row:
        dice, someone = instant.dice("affiliate", number), affiliate_person(instant, number)
        parent = number - 1 - dice.below(5)
        recruited = dice.once_in(4) and parent in listed
        program = dice.below(len(PROGRAMS))
        return {
            "id": number,
            "first_name": someone.first_name,
            "last_name": None if dice.once_in(10) else someone.last_name,
            "email": someone.email,
            "email_verified": dice.below(2),
            "status": dice.pick((1, 1, 1, 0, 2)),
            "created_at_timestamp": pace.at(number),
            "affiliate_link": f"https://shop.example.com/?ref={dice.code(8)}",
            "affiliate_setting": {"minimum_payout": "50.00", "tags": ["été", "b2b"]}
            if dice.once_in(2)
            else None,
            "parent_id": parent if recruited else None,
            "parent_email": affiliate_person(instant, parent).email if recruited else None,
            "program_id": program + 1,
            "program_name": PROGRAMS[program],
            "coupons": [coupon_row(instant, coupon) for coupon in coupons_of(instant)[number]],
        }

    return Listing(listed, row)
