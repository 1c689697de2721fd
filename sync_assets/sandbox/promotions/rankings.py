"""The ranking of a promotion."""

from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.moment import HOUR, Moment
from sync_assets.sandbox.promotions.promotions import promotion
from sync_assets.sandbox.promotions.users import FIRST_USER, user_pace, user_row


def rankings(moment: Moment, number: int) -> Listing | None:
    """List the users with most points; rows have no id and a draft has no ranking at all."""
    facts, pace = promotion(moment, number), user_pace(moment, number)
    if facts.start is None:
        return None
    size = moment.size(moment.scale.rankings, number)
    joined = len(pace.first_span(moment.now))
    until = min(moment.now, facts.end)

    def points(user: int) -> int:
        dice = moment.dice("points", number, user)
        played = max(0, until - pace.at(user)) // HOUR if user < pace.total else 0
        return dice.below(50) + played * dice.below(8)

    users = range(max(joined, size) if moment.scale.exact else joined)
    best = sorted((-points(user), user) for user in users)[:size]

    def row(ordinal: int) -> Row:
        position = len(best) - ordinal
        score, user = best[position - 1]
        someone = user_row(moment, number, user) if user < pace.total else {}
        return {
            "position": position,
            "user_id": str(FIRST_USER + user),
            "name": someone.get("nickname") or someone.get("first_name"),
            "points": str(-score),
        }

    return Listing(range(len(best)), row)
