"""When affiliates register, and who they are."""

from sync_assets.sandbox.moment import DAY, Moment
from sync_assets.sandbox.pace import Pace
from sync_assets.sandbox.people import Person, person


def affiliate_pace(moment: Moment) -> Pace:
    """Return when affiliates register."""
    return moment.pace("affiliates", moment.scale.affiliates, 360 * DAY)


def affiliate_person(moment: Moment, number: int) -> Person:
    """Return who an affiliate is."""
    return person(moment.dice("affiliate person", number))
