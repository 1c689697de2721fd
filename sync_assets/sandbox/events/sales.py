"""The facts of a sale, from which its order, tickets and check-ins are written."""

from dataclasses import dataclass
from functools import lru_cache

from sync_assets.sandbox.events.occurrences import (
    EVENT_STEP,
    event_ordinals,
    event_start,
    series_pace,
)
from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import DAY, HOUR, Instant
from sync_assets.sandbox.people import Person, person

RETENTION = 14 * DAY
CHECK_IN_DELAY = 2 * DAY + EVENT_STEP + 2 * HOUR

# Tickets of eight orders in turn. A fixed pattern tells from the number of any ticket, in a list
# of millions, the order it belongs to.
TICKETS_PER_ORDER = (1, 2, 1, 4, 2, 1, 2, 3)
TICKETS_PER_CYCLE = sum(TICKETS_PER_ORDER)
TICKETS_BEFORE = tuple(sum(TICKETS_PER_ORDER[:order]) for order in range(8))
ORDER_OF_TICKET = tuple(order for order in range(8) for _ in range(TICKETS_PER_ORDER[order]))


@dataclass(frozen=True)
class Sale:
    """Who bought tickets to which event, and when the sale was cancelled, if it was by now."""

    number: int
    created: int
    series: int
    event: int
    buyer: Person
    cancelled: int | None

    @property
    def tickets(self) -> range:
        """Return the numbers of the tickets sold."""
        return range(first_ticket(self.number), first_ticket(self.number + 1))


@lru_cache(maxsize=1024)
def order_pace(instant: Instant) -> GrowthCurve:
    """Return when orders come in."""
    return instant.pace("orders", instant.scale.orders, RETENTION)


def first_ticket(order: int) -> int:
    """Return the number of the first ticket of an order."""
    cycle, place = divmod(order, 8)
    return cycle * TICKETS_PER_CYCLE + TICKETS_BEFORE[place]


def order_of(ticket: int) -> int:
    """Return the number of the order a ticket belongs to."""
    cycle, place = divmod(ticket, TICKETS_PER_CYCLE)
    return cycle * 8 + ORDER_OF_TICKET[place]


def sale(instant: Instant, number: int) -> Sale:
    """Return the sale of a number as it stands at the moment."""
    dice, created = instant.dice("sale", number), order_pace(instant).at(number)
    series = dice.pick(series_pace(instant).lasting(created))
    announced = event_ordinals(instant, series)
    event = -(-(created + 2 * DAY - event_start(series, 0)) // EVENT_STEP)
    cancelled = created + HOUR + dice.below(4 * 24) * HOUR
    # Only these orders, whose one ticket has an odd number: even tickets are the ones checked in.
    gives_up = number % 8 == 2 and dice.below(3) > 0
    return Sale(
        number,
        created,
        series,
        min(max(event, announced.start), announced.stop - 1),
        person(dice),
        cancelled if gives_up and cancelled <= instant.now else None,
    )


def check_in_due(instant: Instant, created: int) -> int:
    """Return when a check-in to the event of an order is known: scanners upload a day later."""
    return created if instant.scale.exact else created + CHECK_IN_DELAY
