"""Whom alerts go to: the addresses in `ALERTS__URLS`, each told by apprise.

An address holds a secret: messages name its position and its kind, never more of it.
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

from sync_assets.sources.rest.configured import resolve
from sync_assets.sources.rest.errors import ConfigurationError
from sync_assets.sources.rest.secrets import conceal

VARIABLE = "ALERTS__URLS"
TALKATIVE = ("apprise", "urllib3.connectionpool")
KIND = re.compile(r"[a-z0-9]{1,20}(?=://)", re.IGNORECASE)
STATUS = re.compile(r"error=(\d{3})\b")


@configspec
class AlertSettings(BaseConfiguration):
    """Where alerts go: apprise URLs with white space between them; none is silence."""

    urls: TSecretStrValue | None = None


@dataclass(frozen=True)
class Address:
    """One URL: what messages call it, and apprise's way to it."""

    name: str
    notifier: Any

    def send(self, title: str, body: str, *, bad: bool) -> str | None:
        """Tell it; what went wrong, or None once it took the message."""
        with _hushed() as said:
            kind = "failure" if bad else "success"
            if self.notifier.notify(title=title, body=body, notify_type=kind, body_format="text"):
                return None
        status = STATUS.search(" ".join(said))
        return f"{self.name} " + (f"answered {status[1]}" if status else "could not be reached")


def addresses() -> list[Address]:
    """The configured addresses; `ConfigurationError` names one that apprise does not understand."""
    urls = str(resolve(AlertSettings(), ["alerts"], {}).urls or "").split()
    return [_address(url, position) for position, url in enumerate(urls, 1)]


def _address(url: str, position: int) -> Address:
    import apprise  # a second, which only those wait for who want alerts

    asset = apprise.AppriseAsset(
        app_id="sync_assets",
        async_mode=False,  # in this thread, whose records are kept out of the logs
        image_url_mask="",  # pictures from elsewhere
    )
    with _hushed():
        plugin = apprise.Apprise.instantiate(url, asset=asset)
    conceal(url)
    kind = KIND.match(url)
    if plugin is None:
        raise ConfigurationError(
            f"URL {position} in {VARIABLE} is none that apprise understands, such as "
            "slack://..., jsons://host/path or mailtos://user:password@host "
            "(white space separates URLs; it is %20 within one)."
        )
    notifier = apprise.Apprise(asset=asset)
    notifier.add(plugin)
    return Address(f"URL {position} in {VARIABLE} ({kind[0] if kind else '?'})", notifier)


class _Overheard(logging.Filter):
    """Keeps this thread's records out of the logs: they may hold a URL."""

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
