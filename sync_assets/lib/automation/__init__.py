"""Sensors and schedules: which runs a source needs, and when."""
