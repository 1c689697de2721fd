"""Removing old runs and events from Dagster's storage."""
