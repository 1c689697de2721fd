"""The declaration of an API, without any setting of an account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import dlt
from dlt.sources.rest_api.typing import RESTAPIConfig

from sync_assets.base.errors import brief
from sync_assets.base.times import parse_time
from sync_assets.sources.rest.declaration.consistent import SECRET, check_api, check_secret
from sync_assets.sources.rest.declaration.endpoints import Endpoint, endpoints
from sync_assets.sources.rest.http.windows import Quota, RateWindow, parse_windows, per_minute
from sync_assets.sources.rest.life import Life, always
from sync_assets.sources.rest.records.names import table_name
from sync_assets.sources.rest.sandbox import sandbox_windows
from sync_assets.sources.rest.settings import (
    SANDBOX,
    ApiSettings,
    LifeSettings,
    QuotaSettings,
    resolve,
)

ACTIVITY = "latest_activity"


@dataclass(frozen=True)
class Parent:
    """A resource whose rows are the partitions of its children.

    `partitions` names the partitions definition, whose keys are the values of the field `key`.
    `life(row)` returns the `Life` of the rows below a parent. Its row has `columns` (`key` is
    always among them) and, under `ACTIVITY`, the latest of some times: each item of `activity`
    names a table, its column of parent ids, and a column of times.
    """

    resource: str
    partitions: str
    columns: Sequence[str] = ()
    life: Callable[[Mapping[str, Any]], Life] = always
    activity: Sequence[tuple[str, str, str]] = ()
    key: str = "id"

    def life_of(self, row: Mapping[str, Any]) -> Life:
        """Return the life below a row; a date that cannot be read counts as open and is named."""
        try:
            life = self.life(row)
            return Life(parse_time(life.begin), parse_time(life.end), tuple(life.unread))
        except Exception as error:  # noqa: BLE001 - a rule of any API's author costs this row alone
            return Life(unread=(brief(error),))

    def __post_init__(self) -> None:
        """Use the names of the warehouse for the resource and the columns."""
        object.__setattr__(self, "resource", table_name(self.resource))
        object.__setattr__(self, "columns", tuple(dict.fromkeys([self.key, *self.columns])))


@dataclass(frozen=True)
class Api:
    """The declaration of an API.

    `config(base_url, secret)` returns dlt's `RESTAPIConfig`. `windows` (the quota), `page_size` and
    `rate_window` (the seconds to wait after a 429 that names no time) are those of the service;
    the configuration may override them. `parents` are the resources whose children are
    partitioned, if the children say `replaced_by`.
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
        """The resources of the API by table name."""
        return self.endpoints_of("", "")

    def __post_init__(self) -> None:
        """Raise `ConfigurationError` if a part of the declaration would not be honoured."""
        check_api(self.name, self.parents, self.endpoints)
        check_secret(self.name, self.endpoints_of("", SECRET))

    def endpoints_of(self, base_url: str, secret: str) -> dict[str, Endpoint]:
        """Return the endpoints with a secret in the params and headers that hold it."""
        partitions = {parent.resource for parent in self.parents}
        return endpoints(self.name, self.config(base_url, secret), base_url, partitions)

    def children(self, parent: str) -> list[str]:
        """Return the partitioned resources below a parent."""
        return [e.name for e in self.endpoints.values() if e.partitioned and e.parent == parent]

    @cached_property
    def without_heads(self) -> frozenset[str]:
        """Return the resources whose lists are never read by heads.

        These are the parents, because others need all of their rows, and tables in parts. Between
        sweeps, lists of these are read if the row of their parent changed.
        """
        parents = {parent.resource for parent in self.parents}
        parents |= {e.parent for e in self.endpoints.values() if e.parent is not None}
        return frozenset(parents | {e.name for e in self.endpoints.values() if e.in_parts})

    def has_children(self) -> bool:
        """Whether another resource is read below the rows of this one."""
        return any(endpoint.parent for endpoint in self.endpoints.values())

    def unpartitioned(self) -> list[str]:
        """Return the resources whose asset has no partitions."""
        return [e.name for e in self.endpoints.values() if not e.partitioned]

    def quota(self, settings: ApiSettings | None = None) -> Quota:
        """Return the configured quota; reads no secret.

        In the sandbox there is none, unless one is configured for the source or the sandbox.
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
        """Return how long after its end a partition may still change; reads no secret."""
        return timedelta(hours=resolve(LifeSettings(), ["sources", self.name], {}).grace)

    def is_sandbox(self) -> bool:
        """Whether the base URL is configured as `sandbox`; reads no secret."""
        return bool(dlt.config.get(f"sources.{self.name}.base_url") == SANDBOX)
