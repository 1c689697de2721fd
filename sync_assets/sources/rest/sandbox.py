"""The sandbox of this process, started on a free loopback port when first needed."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from sync_assets.base.errors import ConfigurationError
from sync_assets.base.times import parse_time
from sync_assets.sources.rest.http.windows import RateWindow, parse_windows
from sync_assets.sources.rest.settings import SandboxSettings, resolve, variable

if TYPE_CHECKING:
    from sync_assets.sandbox import Sandbox


def sandbox_address(source: str) -> tuple[str, str]:
    """Return base URL and secret of a source in the sandbox; starts it if need be."""
    from sync_assets.sandbox import SECRETS  # a web server: only whoever needs it pays for it

    if source not in SECRETS:
        raise ConfigurationError(
            f"The sandbox does not play {source}; set {variable(source, 'base_url')} to a URL."
        )
    return _running().base_url(source), SECRETS[source]


def sandbox_windows() -> tuple[RateWindow, ...]:
    """Return the windows that the sandbox enforces; none unless they are configured."""
    return parse_windows(resolve(SandboxSettings(), ["sandbox"], {}).quota or "")


@cache
def _running() -> Sandbox:
    from sync_assets.sandbox import Account, Manners, Sandbox, Scale

    settings = resolve(SandboxSettings(), ["sandbox"], {})
    scale = Scale(promotions=settings.promotions, event_series=settings.event_series)
    frozen = _unix(settings.now)
    clock = time.time if frozen is None else lambda: frozen
    manners = Manners(
        windows=tuple((window.requests, window.seconds) for window in sandbox_windows()),
        headers=settings.quota_headers,
        page_sizes=settings.page_sizes,
    )
    sandbox = Sandbox(Account(seed=settings.seed, scale=scale, clock=clock), manners=manners)
    sandbox.start()
    return sandbox


def _unix(now: str | None) -> float | None:
    frozen = parse_time(now)
    return None if frozen is None else frozen.timestamp()
