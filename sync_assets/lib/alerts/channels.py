"""The channels that receive alerts: the URLs in `ALERTS__URLS`, which apprise sends to.

A URL is a secret: messages name only its position and its kind.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from sync_assets.base.config import resolve
from sync_assets.base.errors import ConfigurationError
from sync_assets.base.secrets import conceal
from sync_assets.lib.alerts.messages import Part, Room

VARIABLE = "ALERTS__URLS"
TALKATIVE = ("apprise", "urllib3.connectionpool")
KIND = re.compile(r"[a-z0-9]{1,20}(?=://)", re.IGNORECASE)
#: What a later try may cure, and what a shorter part may.
LATER = {408, 409, 421, 423, 425, 429}
TOO_LONG = {400, 413, 414, 422}
SPARE = 4
STATUS = re.compile(r"error=(\d{3})\b")


@configspec
class AlertSettings(BaseConfiguration):
    """Where alerts are sent."""

    urls: TSecretStrValue | None = None
    """apprise URLs, separated by white space; without one, no alerts are sent."""


@dataclass(frozen=True)
class Trouble:
    """Why a channel did not accept a part of a message, and the status that it answered, if any."""

    message: str
    status: int | None = None

    @property
    def refused(self) -> bool:
        """Whether the service will not accept the part later either."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in LATER

    @property
    def too_long(self) -> bool:
        """Whether the service may accept a shorter part."""
        return self.status in TOO_LONG


@dataclass(frozen=True)
class Channel:
    """One URL: its name in messages, its apprise object, and how much it accepts at once."""

    name: str
    notifier: Any
    room: Room

    def send(self, part: Part) -> Trouble | None:
        """Send a part; return None if it was accepted, else what went wrong."""
        kind = "failure" if part.bad else "success"
        with _hushed() as said:
            try:
                if self.notifier.notify(
                    title=part.title, body=part.body, notify_type=kind, body_format="text"
                ):
                    return None
            except Exception as error:  # noqa: BLE001 - each plugin has its own; texts hold secrets
                return Trouble(f"{self.name} could not be notified, {type(error).__name__}")
        found = STATUS.search(" ".join(said))
        if found is None:
            return Trouble(f"{self.name} could not be reached")
        return Trouble(f"{self.name} answered {found[1]}", int(found[1]))


def channels() -> list[Channel]:
    """Return the configured channels; raise `ConfigurationError` for a URL that apprise rejects."""
    urls = str(resolve(AlertSettings(), ["alerts"], {}).urls or "").split()
    return [_address(url, position) for position, url in enumerate(urls, 1)]


def _address(url: str, position: int) -> Channel:
    import apprise  # a second, which only those wait for who want alerts

    asset = apprise.AppriseAsset(
        app_id="sync_assets",
        async_mode=False,  # in this thread, whose records are kept out of the logs
        image_url_mask="",  # pictures from elsewhere
    )
    with _hushed():
        plugin: Any = apprise.Apprise.instantiate(url, asset=asset)
    conceal(url)
    kind = KIND.match(url)
    if plugin is None:
        raise ConfigurationError(
            f"URL {position} in {VARIABLE} is not one that apprise understands, such as "
            "slack://..., jsons://host/path or mailtos://user:password@host "
            "(white space separates URLs; it is %20 within one)."
        )
    plugin.overflow_mode = "split"  # what a service makes of a part may be longer than the part
    notifier = apprise.Apprise(asset=asset)
    notifier.add(plugin)
    name = f"URL {position} in {VARIABLE} ({kind[0] if kind else '?'})"
    return Channel(name, notifier, _room(plugin))


def _room(plugin: Any) -> Room:
    """Return how much a service accepts at once.

    A service that converts text to a format of its own gets half, because the result is longer.
    """
    body = int(plugin.body_maxlen) - SPARE
    return Room(
        0 if plugin.overflow_amalgamate_title else max(0, int(plugin.title_maxlen)),
        max(1, body if plugin.notify_format == "text" else body // 2),
        max(0, int(plugin.body_max_line_count)),
    )


class _Overheard(logging.Filter):
    """Keeps the log records of this thread out of the logs, because they may hold a URL."""

    def __init__(self) -> None:
        super().__init__()
        self.thread, self.said = threading.get_ident(), list[str]()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self.thread:
            return True
        self.said.append(record.getMessage())
        return False


@contextmanager
def _hushed() -> Iterator[list[str]]:
    overheard = _Overheard()
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    for logger in loggers:
        logger.addFilter(overheard)
    try:
        yield overheard.said
    finally:
        for logger in loggers:
            logger.removeFilter(overheard)
