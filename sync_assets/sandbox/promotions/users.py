"""Users of a promotion."""

from functools import lru_cache

from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.people import AGENTS, ip_address, person
from sync_assets.sandbox.promotions.promotions import promotion
from sync_assets.sandbox.seeded_random import SeededRandom
from sync_assets.sandbox.times import iso

FIRST_USER = 10_001


def users(instant: Instant, number: int) -> Listing:
    """List the users of a promotion."""
    pace = user_pace(instant, number)
    return Listing(
        pace.first_span(instant.now),
        lambda ordinal: user_row(instant, number, ordinal),
        offset=FIRST_USER,
    )


@lru_cache(maxsize=1024)
def user_pace(instant: Instant, number: int) -> GrowthCurve:
    """Return when the users of a promotion join."""
    facts = promotion(instant, number)
    total = instant.size(instant.scale.users, number) if facts.start else 0
    start = facts.start or facts.created
    return instant.pace(f"users:{number}", total, facts.end - start, start)


def user_row(instant: Instant, number: int, ordinal: int) -> Row:
    """Return a user as the API sends one."""
    dice = instant.dice("user", number, ordinal)
    someone = person(dice)
    return {
        "id": str(FIRST_USER + ordinal),
        "promotion_id": str(number),
        "first_name": someone.first_name,
        "last_name": someone.last_name,
        "nickname": dice.pick((None, f"{someone.first_name.lower()}🔥", "el_niño", "neko猫")),
        "email": None if dice.once_in(15) else someone.email,
        "country": someone.country,
        "language": someone.language,
        "created": iso(user_pace(instant, number).at(ordinal)),
        "external_id": dice.pick((None, None, dice.code(8))),
        "login_type": dice.pick(("email", "facebook", "google", "apple")),
        "status": dice.pick(("1", "1", "1", "0")),
        "custom_properties": _custom_properties(dice),
        "meta_data": {
            "ip": ip_address(dice),
            "user_agent": dice.pick(AGENTS),
            "referral_url": dice.pick((None, "https://news.example.com/?q=añadir")),
            "utm_source": dice.pick((None, "newsletter", "instagram")),
            "utm_medium": dice.pick((None, "email", "social")),
            "utm_campaign": dice.pick((None, "spring", "été")),
            "legals": {
                "terms_url": "https://promotions.example.com/terms",
                "privacy_url": "https://promotions.example.com/privacy",
            },
        },
    }


def _custom_properties(dice: SeededRandom) -> list[Row]:
    answers = (
        {
            "id": "1",
            "title": "Código postal",
            "ref": "zip",
            "value": str(10_000 + dice.below(90_000)),
        },
        {"id": "2", "title": "Favourite flavour?", "ref": None, "value": "crème brûlée"},
        {"id": "3", "title": "Newsletter", "ref": "news", "value": None},
    )
    return list(answers[: dice.below(4)])
