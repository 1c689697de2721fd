"""What Dagster runs for the events API."""

from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.sources.events import API

defs = build_api_definitions(API)
