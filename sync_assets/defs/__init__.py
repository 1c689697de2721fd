"""What Dagster runs: one module an API."""
