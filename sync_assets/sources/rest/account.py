"""The account of an API as configured, resolved once for a sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dlt.sources.rest_api.config_setup import create_auth
from requests.auth import AuthBase

from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.dataset import dataset_name
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.sources.rest.http.adapter import RateLimitedAdapter
from sync_assets.sources.rest.http.rate_limiter import RateLimiter
from sync_assets.sources.rest.http.redis_budget import RedisBudget
from sync_assets.sources.rest.paging.page_size import PageSizes
from sync_assets.sources.rest.sandbox import sandbox_address
from sync_assets.sources.rest.settings import (
    SANDBOX,
    ApiSettings,
    SharedQuotaSettings,
    resolve,
    resolve_api,
)


@dataclass(frozen=True)
class Connection:
    """An API as one sync sees it: where, as whom, how hard it may be asked, and what for.

    `endpoints` are the API's, with the secret in params and headers that hold it; `account` says
    where and as whom in one text.
    """

    base_url: str
    auth: AuthBase
    settings: ApiSettings
    adapter: RateLimitedAdapter
    endpoints: Mapping[str, Endpoint]
    account: str = field(repr=False)
    page_sizes: PageSizes

    @property
    def witness(self) -> Endpoint:
        """A list that has no parent, which tells whether a credential is good."""
        return next(e for e in self.endpoints.values() if e.parent is None)


@dataclass(frozen=True)
class Account:
    """An account of an API: its settings, its dataset, and the connection that they make.

    Each is resolved when it is first asked for, and once. `explicit` are settings that go before
    the configuration, by the names of the fields of `ApiSettings`.
    """

    api: Api
    explicit: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def settings(self) -> ApiSettings:
        """The settings; the API's own defaults are used for what is not configured.

        Raises `ConfigurationError` if one is missing or wrong.
        """
        settings = resolve_api(self.api.settings(), self.api.name, dict(self.explicit))
        if settings.page_size is None:
            settings.page_size = self.api.page_size
        if settings.rate_window is None:
            settings.rate_window = self.api.rate_window
        return settings

    @property
    def dataset(self) -> str:
        """The dataset of the tables. Raises `ConfigurationError` for a name that is not allowed."""
        return dataset_name(self.api.name, sandbox=self.api.is_sandbox())

    @cached_property
    def connection(self) -> Connection:
        """The connection; starts the sandbox if that is the base URL.

        Processes that use the same base URL and secret share a quota.
        """
        settings, base_url, secret = self.settings, self.settings.base_url, self.settings.secret
        if base_url == SANDBOX:
            base_url, secret = sandbox_address(self.api.name)
        quota, rate_key = self.api.quota(settings), f"{base_url} {secret}"
        redis_url = resolve(SharedQuotaSettings(), ["quota"], {}).redis_url
        budget = RedisBudget(redis_url, quota, rate_key) if redis_url else None
        rate_limiter = RateLimiter(
            settings.max_concurrency, quota, rate_key, settings.max_wait, budget
        )
        return Connection(
            base_url,
            create_auth(self.api.config(base_url, secret)["client"].get("auth")),  # type: ignore[arg-type]
            settings,
            RateLimitedAdapter(
                rate_limiter,
                settings.max_concurrency,
                settings.max_wait,
                settings.heads_from_pages,
            ),
            self.api.endpoints_of(base_url, secret),
            rate_key,
            PageSizes(settings.page_size),
        )
