"""Whom Dagster tells what is wrong: nobody, or whoever `ALERTS__URLS` names."""

import dagster as dg

from sync_assets.lib.alerts.sensor import build_alert_sensor

defs = dg.Definitions(sensors=[build_alert_sensor()])
