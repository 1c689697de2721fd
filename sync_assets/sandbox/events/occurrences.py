"""Which event series exist, and when their events take place."""

from functools import lru_cache

from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.instant import DAY, HOUR, MINUTE, Instant
from sync_assets.sandbox.listing import Row

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
def series_pace(instant: Instant) -> GrowthCurve:
    """Return when series are created; orders and the like belong to lasting ones."""
    return instant.pace(
        "series", instant.scale.event_series, instant.scale.event_series * SERIES_STEP
    )


def listed_series(instant: Instant) -> range:
    """Return the ordinals of the series listed at the moment."""
    return series_pace(instant).newest(instant.now)


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
def event_ordinals(instant: Instant, number: int) -> range:
    """Return the events of a series: announced a month ahead, kept about a month."""
    end = (instant.now + ANNOUNCED - event_start(number, 0)) // EVENT_STEP + 1
    start = end - instant.scale.events
    if not instant.scale.exact:
        opened = series_pace(instant).at(number) // EVENT_STEP
        start = max(start, opened)
    return range(start, end)


def event_id(number: int, ordinal: int) -> str:
    """Return the id of an event, unlike that of any other series' event."""
    return f"ev_{number * EVENTS_PER_SERIES_ID + ordinal}"
