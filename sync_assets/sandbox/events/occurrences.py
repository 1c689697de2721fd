"""Which event series exist, and when their events take place."""

from functools import lru_cache

from sync_assets.sandbox.listing import Row
from sync_assets.sandbox.moment import DAY, HOUR, MINUTE, Moment
from sync_assets.sandbox.pace import Pace

NAMES = (
    "Jazz à Montreux",
    "Museum Night",
    "歌舞伎座",
    "Köln Trail Run 🏃",
    "Feria de Abril",
    "Stand-up",
)
SERIES_STEP, EVENT_STEP, ANNOUNCED = 45 * DAY, 3 * DAY, 30 * DAY
EVENTS_PER_SERIES_ID = 100_000


@lru_cache(maxsize=1024)
def series_pace(moment: Moment) -> Pace:
    """Return when series are created; orders and the like belong to lasting ones."""
    return moment.pace("series", moment.scale.event_series, moment.scale.event_series * SERIES_STEP)


def listed_series(moment: Moment) -> range:
    """Return the ordinals of the series listed at the moment."""
    return series_pace(moment).newest(moment.now)


def series_name(number: int) -> str:
    """Return the title of a series."""
    return f"{NAMES[number % len(NAMES)]} #{number}"


def series_venue(number: int) -> Row:
    """Return where a series takes place."""
    return {"postal_code": (None, "1820", "SW1A 1AA", "104-0061")[number % 4]}


def event_start(number: int, ordinal: int) -> int:
    """Return when an event of a series starts."""
    return ordinal * EVENT_STEP + (10 + number % 10) * HOUR + 30 * MINUTE


@lru_cache(maxsize=1024)
def event_ordinals(moment: Moment, number: int) -> range:
    """Return the events of a series: announced a month ahead, kept about a month."""
    end = (moment.now + ANNOUNCED - event_start(number, 0)) // EVENT_STEP + 1
    start = end - moment.scale.events
    if not moment.scale.exact:
        opened = series_pace(moment).at(number) // EVENT_STEP
        start = max(start, opened)
    return range(start, end)


def event_id(number: int, ordinal: int) -> str:
    """Return the id of an event, unlike that of any other series' event."""
    return f"ev_{number * EVENTS_PER_SERIES_ID + ordinal}"
