"""Alerts about failed runs, checks, sensors and schedules."""
