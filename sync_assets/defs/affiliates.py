"""What Dagster runs for the affiliates API."""

from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.sources.affiliates import API

defs = build_api_definitions(API)
