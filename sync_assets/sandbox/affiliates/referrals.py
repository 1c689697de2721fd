"""Sales that affiliates referred."""

from sync_assets.sandbox.affiliates.referrers import affiliate_pace, affiliate_person
from sync_assets.sandbox.instant import DAY, HOUR, Instant
from sync_assets.sandbox.listing import Listing, Row


def referrals(instant: Instant) -> Listing:
    """List the referred sales: pending for some days, then approved or denied."""
    pace = instant.pace("referrals", instant.scale.referrals, 60 * DAY)

    def row(number: int) -> Row:
        dice, created = instant.dice("referral", number), pace.at(number)
        owner = dice.pick(affiliate_pace(instant).lasting(created))
        decided = created + 2 * DAY + dice.below(5 * 24) * HOUR
        verdict = dice.pick(("approved", "approved", "approved", "approved", "denied"))
        cents = 500 + dice.below(30_000)
        someone = affiliate_person(instant, owner)
        return {
            "id": number,
            "affiliate_id": owner,
            "affiliate": None
            if dice.once_in(12)
            else {
                "id": owner,
                "first_name": someone.first_name,
                "last_name": someone.last_name,
                "email": someone.email,
            },
            "status": verdict if instant.now >= decided else "pending",
            "total_sales": _money(cents),
            "commission": _money(cents // 10),
            "commission_adjustment": dice.pick((None, None, "0.00", "-1.50")),
            "tracking_type": dice.pick(("link", "coupon", "Tracked by email")),
            "created_at": created,
        }

    return Listing(pace.newest(instant.now), row)


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
