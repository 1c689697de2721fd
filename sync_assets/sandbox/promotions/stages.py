"""The stages of a promotion."""

from sync_assets.sandbox.instant import Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.promotions.promotions import promotion
from sync_assets.sandbox.times import iso


def stage_count(instant: Instant, number: int) -> int:
    """Return how many stages a promotion has."""
    stages = instant.scale.stages
    return stages if instant.scale.exact or not stages else 1 + number % stages


def stages(instant: Instant, number: int) -> Listing:
    """List the stages of a promotion, whose ids are those of every other promotion's stages."""
    count = stage_count(instant, number)
    facts = promotion(instant, number)

    def row(ordinal: int) -> Row:
        length = (facts.end - facts.start) // count if facts.start else 0
        start = facts.start + ordinal * length if facts.start else None
        return {
            "id": str(ordinal + 1),
            "name": ("Inscripción", "Voting 🗳", "Final")[ordinal % 3],
            "type": ("registration", "voting", "draw")[ordinal % 3],
            "visible": (True, False, None)[(number + ordinal) % 3],
            "start_date": None if start is None else iso(start),
            "end_date": None if start is None else iso(start + length),
        }

    return Listing(range(count), row, offset=1)
