"""The ranking of a promotion."""

from sync_assets.sandbox.instant import HOUR, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.promotions.promotions import promotion
from sync_assets.sandbox.promotions.users import FIRST_USER, user_pace, user_row


def rankings(instant: Instant, number: int) -> Listing | None:
    """List the users with most points; rows have no id and a draft has no ranking at all."""
    facts, pace = promotion(instant, number), user_pace(instant, number)
    if facts.start is None:
        return None
    size = instant.size(instant.scale.rankings, number)
    joined = len(pace.first_span(instant.now))
    until = min(instant.now, facts.end)

    def points(user: int) -> int:
        dice = instant.dice("points", number, user)
        played = max(0, until - pace.at(user)) // HOUR if user < pace.total else 0
        return dice.below(50) + played * dice.below(8)

    users = range(max(joined, size) if instant.scale.exact else joined)
    best = sorted((-points(user), user) for user in users)[:size]

    def row(ordinal: int) -> Row:
        position = len(best) - ordinal
        score, user = best[position - 1]
        someone = user_row(instant, number, user) if user < pace.total else {}
        return {
            "position": position,
            "user_id": str(FIRST_USER + user),
            "name": someone.get("nickname") or someone.get("first_name"),
            "points": str(-score),
        }

    return Listing(range(len(best)), row)
