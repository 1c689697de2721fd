"""Prizes won in a promotion."""

from sync_assets.sandbox.instant import Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.promotions.participations import (
    FIRST_PARTICIPATION,
    participant,
    participation_pace,
)
from sync_assets.sandbox.promotions.users import FIRST_USER, user_row
from sync_assets.sandbox.times import iso

PRIZE_NAMES = ("T-shirt", "Dîner pour deux", "10 % descuento", "限定ステッカー 🎁")


def prizes(instant: Instant, number: int) -> Listing:
    """List the prizes won, spread evenly over the participations; some promotions have none."""
    pace = participation_pace(instant, number)
    entered = len(pace.first_span(instant.now))
    without = number % 4 == 0 and not instant.scale.exact
    total = 0 if without else instant.size(instant.scale.prizes, number)
    won = -(-entered * total // pace.total) if pace.total else total * instant.scale.exact

    def row(ordinal: int) -> Row:
        return _prize_row(instant, number, ordinal, ordinal * pace.total // total)

    return Listing(range(won), row, offset=1)


def _prize_row(instant: Instant, number: int, ordinal: int, participation: int) -> Row:
    pace = participation_pace(instant, number)
    dice = instant.dice("prize", number, ordinal)
    winner = participant(instant, number, participation) if pace.total else None
    code = dice.code(8)
    return {
        "id": str(ordinal + 1),
        "created": iso(pace.at(participation) if pace.total else pace.start),
        "participation_id": str(FIRST_PARTICIPATION + participation) if pace.total else None,
        "user_id": None if winner is None else str(FIRST_USER + winner),
        "stage_id": dice.pick((None, "1")),
        "code": dice.pick((None, code, code)),
        "download_url": dice.pick((None, f"https://promotions.example.com/d/{code}")),
        "redeem_url": dice.pick((None, f"https://promotions.example.com/r/{code}")),
        "prize_type": {
            "id": str(1 + dice.below(4)),
            "name": dice.pick(PRIZE_NAMES),
            "description": dice.pick((None, "Collect it in any shop.")),
            "image": dice.pick((None, "https://cdn.example.com/prize.png")),
            "instructions": None,
            "qty": str(1 + dice.below(500)),
            "ref": dice.pick((None, "REF-É")),
            "assignation_type": dice.pick(("instant", "draw")),
        },
        "user": None if winner is None or dice.once_in(20) else _winner(instant, number, winner),
    }


def _winner(instant: Instant, number: int, user: int) -> Row:
    row = user_row(instant, number, user)
    meta = row["meta_data"]
    kept = {key: value for key, value in row.items() if key not in ("email", "login_type")}
    return {
        **kept,
        "social_id": None,
        "meta_data": {key: meta[key] for key in ("ip", "user_agent", "utm_medium", "legals")},
    }
