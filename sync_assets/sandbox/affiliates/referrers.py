"""When affiliates register, and who they are."""

from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import DAY, Instant
from sync_assets.sandbox.people import Person, person


def affiliate_pace(instant: Instant) -> GrowthCurve:
    """Return when affiliates register."""
    return instant.pace("affiliates", instant.scale.affiliates, 360 * DAY)


def affiliate_person(instant: Instant, number: int) -> Person:
    """Return who an affiliate is."""
    return person(instant.dice("affiliate person", number))
