"""Promotions and the brands that organize them."""

from dataclasses import dataclass
from functools import lru_cache

from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.moment import DAY, HOUR, Moment
from sync_assets.sandbox.pace import Pace
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
def promotion(moment: Moment, number: int) -> Promotion:
    """Return the promotion of a number as it stands at the moment."""
    dice = moment.dice("promotion", number)
    created = _pace(moment).at(number)
    lead, run = HOUR + dice.below(36 * HOUR), 7 * DAY + dice.below(6 * DAY)
    start = created if moment.scale.exact else created + lead
    abandoned = number % 13 == 5 and not moment.scale.exact
    draft = abandoned or moment.now < start
    return Promotion(number, created, None if draft else start, start + run)


def _pace(moment: Moment) -> Pace:
    return moment.pace("promotion", moment.scale.promotions, moment.scale.promotions * DAY)


def promotions(moment: Moment) -> Listing:
    """List the promotions."""
    return Listing(_pace(moment).newest(moment.now), lambda number: _row(moment, number))


def _row(moment: Moment, number: int) -> Row:
    facts, dice = promotion(moment, number), moment.dice("promotion row", number)
    open_ended = facts.start is None or number % 11 == 3
    brand = dice.below(moment.scale.organizing_brands)
    return {
        "id": str(number),
        "title": f"{dice.pick(TITLES)} {number}",
        "description": dice.pick((None, "", "Terms apply.\nOne entry a day – “good luck”!")),
        "promotion_type": str(dice.below(20)),
        "status": _status(moment, facts, open_ended),
        "created": iso(facts.created),
        "start_date": None if facts.start is None else iso(facts.start),
        "end_date": None if open_ended else iso(facts.end),
        "default_language": dice.pick(("en", "es", "fr", "ja")),
        "timezone": dice.pick(ZONES),
        "url": f"https://promotions.example.com/p/{number}",
        "organizing_brand": None if dice.once_in(8) else _brand(brand),
    }


def _status(moment: Moment, facts: Promotion, open_ended: bool) -> str:
    if facts.start is None:
        return "draft"
    return "active" if open_ended or moment.now < facts.end else "expired"


def organizing_brands(moment: Moment) -> Listing:
    """List the brands."""
    return Listing(range(moment.scale.organizing_brands), _brand, offset=1)


def _brand(ordinal: int) -> Row:
    return {"id": str(ordinal + 1), "name": BRANDS[ordinal % len(BRANDS)]}
