"""What Dagster runs for the promotions API."""

from sync_assets.lib.api_definitions import build_api_definitions
from sync_assets.sources.promotions import API

defs = build_api_definitions(API)
