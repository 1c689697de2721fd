"""Everything that the module of an API imports: its declaration, columns and ways of paging."""

from sync_assets.sources.rest.api import ACTIVITY, Api, Parent
from sync_assets.sources.rest.declaration.hints import REPLACE, below, child
from sync_assets.sources.rest.http.windows import RateWindow
from sync_assets.sources.rest.life import Life, between
from sync_assets.sources.rest.paging.paginators import BodyCursor, LastId, NextLink
from sync_assets.sources.rest.records.columns import columns
from sync_assets.sources.rest.records.fields import (
    boolean,
    day,
    double,
    integer,
    json,
    money,
    text,
    timestamp,
)
from sync_assets.sources.rest.resources import dlt_source
from sync_assets.sources.rest.settings import ApiKeySettings, BearerTokenSettings

__all__ = [
    "ACTIVITY",
    "REPLACE",
    "Api",
    "ApiKeySettings",
    "BearerTokenSettings",
    "BodyCursor",
    "LastId",
    "Life",
    "NextLink",
    "Parent",
    "RateWindow",
    "below",
    "between",
    "boolean",
    "child",
    "columns",
    "day",
    "dlt_source",
    "double",
    "integer",
    "json",
    "money",
    "text",
    "timestamp",
]
