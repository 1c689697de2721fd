"""The events of a series and its waiting list."""

from sync_assets.sandbox.events.occurrences import (
    ANNOUNCED,
    EVENTS_PER_SERIES_ID,
    event_id,
    event_ordinals,
    event_start,
    series_pace,
)
from sync_assets.sandbox.events.ticket_types import ticket_types
from sync_assets.sandbox.instant import DAY, HOUR, Instant
from sync_assets.sandbox.listing import Listing, Row
from sync_assets.sandbox.people import person
from sync_assets.sandbox.times import time_object


def events(instant: Instant, number: int) -> Listing:
    """List the events of a series."""

    def row(ordinal: int) -> Row:
        dice, start = instant.dice("event", number, ordinal), event_start(number, ordinal)
        issued = max(0, (instant.now - start + ANNOUNCED) // (2 * HOUR))
        history = instant.now > start
        return {
            "id": event_id(number, ordinal),
            "object": "event",
            "event_series_id": f"es_{number}",
            "chk": dice.code(6).lower(),
            "currency": "eur",
            "start": time_object(start),
            "end": time_object(start + 3 * HOUR),
            "hidden": dice.pick(("false", "false", "true")),
            "unavailable": "true" if history else "false",
            "tickets_available": "false" if history else "true",
            "total_issued_tickets": issued,
            "revenue": issued * 2500,
            "bundles": [],
            "ticket_groups": [],
            "ticket_types": ticket_types(number, issued),
        }

    return Listing(
        event_ordinals(instant, number), row, prefix="ev_", offset=number * EVENTS_PER_SERIES_ID
    )


def waitlists(instant: Instant, number: int) -> Listing:
    """List the people waiting for tickets; ids are unique only within their series."""
    pace = instant.pace(
        f"waitlist:{number}", instant.size(instant.scale.waitlists, number), 30 * DAY
    )
    listed = pace.newest(instant.now)
    if not instant.scale.exact:
        opened = pace.until(series_pace(instant).at(number))
        listed = range(max(listed.start, min(opened, listed.stop)), listed.stop)

    def row(ordinal: int) -> Row:
        dice = instant.dice("waitlist", number, ordinal)
        return {
            "id": f"ws_{ordinal}",
            "object": "waitlist_signup",
            "created_at": time_object(pace.at(ordinal)),
            "email": person(dice).email,
            "event_id": dice.pick((None, event_id(number, event_ordinals(instant, number)[-1]))),
        }

    return Listing(listed, row, prefix="ws_")
