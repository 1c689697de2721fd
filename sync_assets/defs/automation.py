"""What materializes assets that are built on the synced ones: their automation conditions."""

import dagster as dg

from sync_assets.lib.automation.conditions import build_automation_sensor

defs = dg.Definitions(sensors=[build_automation_sensor()])
