"""Participations in a promotion."""

from functools import lru_cache

from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.people import AGENTS, ip_address
from sync_assets.sandbox.promotions.promotions import promotion
from sync_assets.sandbox.promotions.stages import stage_count
from sync_assets.sandbox.promotions.users import FIRST_USER, user_pace
from sync_assets.sandbox.seeded_random import SeededRandom
from sync_assets.sandbox.times import iso

FIRST_PARTICIPATION = 50_001


@lru_cache(maxsize=1024)
def participation_pace(instant: Instant, number: int) -> GrowthCurve:
    """Return when participations come in: none before the first user."""
    facts, joining = promotion(instant, number), user_pace(instant, number)
    total = instant.size(instant.scale.participations, number) if facts.start else 0
    start = joining.at(0) if joining.total else joining.start
    return instant.pace(f"participations:{number}", total, facts.end - start, start)


def participant(instant: Instant, number: int, ordinal: int) -> int | None:
    """Return the ordinal of the user who made a participation."""
    joined = user_pace(instant, number).first_span(participation_pace(instant, number).at(ordinal))
    return instant.dice("participant", number, ordinal).pick(joined) if joined else None


def participations(instant: Instant, number: int) -> Listing:
    """List the participations in a promotion."""
    pace = participation_pace(instant, number)
    stage_ids = [str(ordinal + 1) for ordinal in range(stage_count(instant, number))]

    def row(ordinal: int) -> Row:
        dice = instant.dice("participation", number, ordinal)
        user = participant(instant, number, ordinal)
        return {
            "id": str(FIRST_PARTICIPATION + ordinal),
            "promotion_id": str(number),
            "user_id": None if user is None else str(FIRST_USER + user),
            "stage_id": dice.pick((None, *stage_ids)),
            "created": iso(pace.at(ordinal)),
            "ip": ip_address(dice),
            "user_agent": dice.pick((None, *AGENTS)),
            "data": _answers(dice),
        }

    return Listing(pace.first_span(instant.now), row, offset=FIRST_PARTICIPATION)


def _answers(dice: SeededRandom) -> list[Row]:
    answers: tuple[Row, ...] = (
        {"type": "text", "title": "Why you?", "value": dice.pick(("Because 😀", "なぜなら", ""))},
        {
            "type": "image",
            "title": "Photo",
            "value": {"url": f"https://cdn.example.com/{dice.code(6)}.jpg"},
        },
        {"type": "choice", "title": "Colours", "value": ["red", "grün"]},
    )
    return list(answers[: dice.below(4)])
