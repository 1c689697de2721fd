"""Tests: real HTTP, real DuckDB, no mocks."""
