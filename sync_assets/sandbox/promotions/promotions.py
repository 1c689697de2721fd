"""Promotions and the brands that organize them."""

from dataclasses import dataclass
from functools import lru_cache

from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import DAY, HOUR, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.times import iso

BRANDS = ("Café Olé", "Northwind", "株式会社サンプル", "Brød & Smør", None, "Açaí Co.")
TITLES = (
    "Spin & win 🎡",
    "Photo contest",
    "Concours d’été",
    "夏のキャンペーン",
    "Ruleta de premios",
)
ZONES = ("Europe/Madrid", "Europe/Paris", "UTC", "Asia/Tokyo", "America/New_York")


@dataclass(frozen=True)
class Promotion:
    """When a promotion runs; a draft has no start yet."""

    number: int
    created: int
    start: int | None
    end: int


@lru_cache(maxsize=1024)
def promotion(instant: Instant, number: int) -> Promotion:
    """Return the promotion of a number as it stands at the moment."""
    dice = instant.dice("promotion", number)
    created = _pace(instant).at(number)
    lead, run = HOUR + dice.below(36 * HOUR), 7 * DAY + dice.below(6 * DAY)
    start = created if instant.scale.exact else created + lead
    abandoned = number % 13 == 5 and not instant.scale.exact
    draft = abandoned or instant.now < start
    return Promotion(number, created, None if draft else start, start + run)


def _pace(instant: Instant) -> GrowthCurve:
    return instant.pace("promotion", instant.scale.promotions, instant.scale.promotions * DAY)


def promotions(instant: Instant) -> Listing:
    """List the promotions."""
    return Listing(_pace(instant).newest(instant.now), lambda number: _row(instant, number))


def _row(instant: Instant, number: int) -> Row:
    facts, dice = promotion(instant, number), instant.dice("promotion row", number)
    open_ended = facts.start is None or number % 11 == 3
    brand = dice.below(instant.scale.organizing_brands)
    return {
        "id": str(number),
        "title": f"{dice.pick(TITLES)} {number}",
        "description": dice.pick((None, "", "Terms apply.\nOne entry a day – “good luck”!")),
        "promotion_type": str(dice.below(20)),
        "status": _status(instant, facts, open_ended),
        "created": iso(facts.created),
        "start_date": None if facts.start is None else iso(facts.start),
        "end_date": None if open_ended else iso(facts.end),
        "default_language": dice.pick(("en", "es", "fr", "ja")),
        "timezone": dice.pick(ZONES),
        "url": f"https://promotions.example.com/p/{number}",
        "organizing_brand": None if dice.once_in(8) else _brand(brand),
    }


def _status(instant: Instant, facts: Promotion, open_ended: bool) -> str:
    if facts.start is None:
        return "draft"
    return "active" if open_ended or instant.now < facts.end else "expired"


def organizing_brands(instant: Instant) -> Listing:
    """List the brands."""
    return Listing(range(instant.scale.organizing_brands), _brand, offset=1)


def _brand(ordinal: int) -> Row:
    return {"id": str(ordinal + 1), "name": BRANDS[ordinal % len(BRANDS)]}
