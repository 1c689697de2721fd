"""One API as data, and the connection that its settings make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import dlt
from dlt.sources.rest_api.config_setup import create_auth
from dlt.sources.rest_api.typing import RESTAPIConfig
from requests.auth import AuthBase

from sync_assets.base.errors import brief
from sync_assets.base.times import parse_time
from sync_assets.sources.rest.declaration.consistent import SECRET, check_api, check_secret
from sync_assets.sources.rest.declaration.endpoints import Endpoint, endpoints
from sync_assets.sources.rest.http.adapter import RateLimitedAdapter
from sync_assets.sources.rest.http.rate_limiter import RateLimiter
from sync_assets.sources.rest.http.redis_budget import RedisBudget
from sync_assets.sources.rest.http.windows import Quota, RateWindow, parse_windows, per_minute
from sync_assets.sources.rest.life import Life, always
from sync_assets.sources.rest.paging.overlap import Limits
from sync_assets.sources.rest.records.names import table_name
from sync_assets.sources.rest.sandbox import sandbox_address, sandbox_windows
from sync_assets.sources.rest.settings import (
    SANDBOX,
    ApiSettings,
    LifeSettings,
    QuotaSettings,
    SharedQuotaSettings,
    resolve,
    resolve_api,
)

ACTIVITY = "latest_activity"


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
    account: str = field(default="", repr=False)
    limits: Limits = field(default_factory=Limits)

    @property
    def witness(self) -> Endpoint:
        """A list that has no parent, which tells whether a credential is good."""
        return next(e for e in self.endpoints.values() if e.parent is None)


@dataclass(frozen=True)
class Parent:
    """A resource whose rows are the partitions of its children.

    `partitions` names the partitions definition; `life(row)` says from when until when the rows
    below a parent may change, judged by its `columns` and by the latest moment under `ACTIVITY`:
    each `activity` names a table, its column of parent ids, and one of times.
    """

    resource: str
    partitions: str
    columns: Sequence[str]
    life: Callable[[Mapping[str, Any]], Life] = always
    activity: Sequence[tuple[str, str, str]] = ()

    def life_of(self, row: Mapping[str, Any]) -> Life:
        """The life below a row; what its rule cannot say of one counts as open, and is named."""
        try:
            life = self.life(row)
            return Life(parse_time(life.begin), parse_time(life.end), tuple(life.unread))
        except Exception as error:  # noqa: BLE001 - a rule of any API's author costs this row alone
            return Life(unread=(brief(error),))

    def __post_init__(self) -> None:
        """Know the resource by its table."""
        object.__setattr__(self, "resource", table_name(self.resource))


@dataclass(frozen=True)
class Api:
    """What is known of an API before anybody asks it.

    `config(base_url, secret)` gives dlt's `RESTAPIConfig`; `windows`, its quota, `page_size` and
    `rate_window`, the seconds that a 429 without a time is waited out, are the service's own, used
    where the configuration sets none. `parents` are the resources whose children are partitioned,
    where these say `replaced_by`.
    """

    name: str
    config: Callable[[str, str], RESTAPIConfig]
    settings: type[ApiSettings]
    windows: Sequence[RateWindow]
    page_size: int | None = None
    rate_window: float = 60.0
    parents: Sequence[Parent] = ()

    @cached_property
    def endpoints(self) -> dict[str, Endpoint]:
        """The resources of the API, by table."""
        return self._endpoints("", "")

    def __post_init__(self) -> None:
        """Refuse by name what would not be done as it is declared: `ConfigurationError`."""
        check_api(self.name, self.parents, self.endpoints)
        check_secret(self.name, self._endpoints("", SECRET))

    def _endpoints(self, base_url: str, secret: str) -> dict[str, Endpoint]:
        partitions = {parent.resource for parent in self.parents}
        return endpoints(self.name, self.config(base_url, secret), base_url, partitions)

    def resolve(self, explicit: Mapping[str, Any] | None = None) -> ApiSettings:
        """The settings of this API; `ConfigurationError` where one is missing or wrong."""
        return resolve_api(self.settings(), self.name, dict(explicit or {}))

    def children(self, parent: str) -> list[str]:
        """The partitioned resources below a parent."""
        return [e.name for e in self.endpoints.values() if e.partitioned and e.parent == parent]

    def has_children(self) -> bool:
        """Whether rows of some resource belong to rows of another."""
        return any(endpoint.parent for endpoint in self.endpoints.values())

    def unpartitioned(self) -> list[str]:
        """The resources that are one asset without partitions."""
        return [e.name for e in self.endpoints.values() if not e.partitioned]

    def quota(self, settings: ApiSettings | None = None) -> Quota:
        """What the account may be asked, as configured; reads no secret.

        In the sandbox there is no limit but one that is configured, be it for the sandbox.
        """
        told = settings or resolve(QuotaSettings(), ["sources", self.name], {})
        if told.requests_per_minute is not None:
            return per_minute(told.requests_per_minute)
        if told.quota is not None:
            return Quota(parse_windows(told.quota), told.quota_reserve)
        plays = self.is_sandbox() if settings is None else settings.base_url == SANDBOX
        windows = sandbox_windows() if plays else tuple(self.windows)
        return Quota(windows, told.quota_reserve)

    @property
    def grace(self) -> timedelta:
        """How long after its end something may still change; reads no secret."""
        return timedelta(hours=resolve(LifeSettings(), ["sources", self.name], {}).grace)

    def is_sandbox(self) -> bool:
        """Whether the configuration says `base_url = "sandbox"`; reads no secret."""
        return bool(dlt.config.get(f"sources.{self.name}.base_url") == SANDBOX)

    def connect(self, explicit: Mapping[str, Any] | None = None) -> Connection:
        """Connect as configured; starts the sandbox where that is the word."""
        settings = self.resolve(explicit)
        base_url, secret, quota = settings.base_url, settings.secret, self.quota(settings)
        redis_url = resolve(SharedQuotaSettings(), ["quota"], {}).redis_url
        if settings.base_url == SANDBOX:
            base_url, secret = sandbox_address(self.name)
        if settings.page_size is None:
            settings.page_size = self.page_size
        if settings.rate_window is None:
            settings.rate_window = self.rate_window
        auth = create_auth(self.config(base_url, secret)["client"].get("auth"))
        sent = self._endpoints(base_url, secret)
        account = f"{base_url} {secret}"
        budget = RedisBudget(redis_url, quota, account) if redis_url else None
        rate_limiter = RateLimiter(
            settings.max_concurrency, quota, account, settings.max_wait, budget
        )
        adapter = RateLimitedAdapter(rate_limiter, settings.max_concurrency, settings.max_wait)
        return Connection(base_url, auth, settings, adapter, sent, account)  # type: ignore[arg-type]
