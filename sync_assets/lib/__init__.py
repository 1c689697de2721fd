"""Builds the assets, checks, jobs, sensors and schedules of any source; it names no API."""
