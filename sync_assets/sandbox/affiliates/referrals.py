"""Sales that affiliates referred."""

from sync_assets.sandbox.affiliates.referrers import affiliate_pace, affiliate_person
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.moment import DAY, HOUR, Moment


def referrals(moment: Moment) -> Listing:
    """List the referred sales: pending for some days, then approved or denied."""
    pace = moment.pace("referrals", moment.scale.referrals, 60 * DAY)

    def row(number: int) -> Row:
        dice, created = moment.dice("referral", number), pace.at(number)
        owner = dice.pick(affiliate_pace(moment).lasting(created))
        decided = created + 2 * DAY + dice.below(5 * 24) * HOUR
        verdict = dice.pick(("approved", "approved", "approved", "approved", "denied"))
        cents = 500 + dice.below(30_000)
        someone = affiliate_person(moment, owner)
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
            "status": verdict if moment.now >= decided else "pending",
            "total_sales": _money(cents),
            "commission": _money(cents // 10),
            "commission_adjustment": dice.pick((None, None, "0.00", "-1.50")),
            "tracking_type": dice.pick(("link", "coupon", "Tracked by email")),
            "created_at": created,
        }

    return Listing(pace.newest(moment.now), row)


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
