# The everyday commands; `just` lists them.
default:
    @just --list

# The UI, with all sensors and schedules
dev:
    uv run dagster dev

# One full sync of every source, without Dagster
sync *arguments:
    uv run sync-assets {{arguments}}

# The fast suite
test *arguments:
    uv run pytest {{arguments}}

# The long suite: Postgres, Redis, a browser, kills
test-long *arguments:
    uv run pytest -m long {{arguments}}

# All kills, histories, rows and days, of which the suites take a sample; hours
full-counts *arguments:
    uv run python -m sync_assets_tests.full_counts {{arguments}}

# Lint and types
lint:
    uv run ruff check .
    uv run ruff format --check .
    uv run mypy

# Everything from nothing, as CI runs it
ci:
    bash .ci/run

# Write docs/faults.md from the tests
faults:
    uv run python -m sync_assets_tests.docs.fault_table > docs/faults.md
