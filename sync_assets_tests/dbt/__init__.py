"""Tests with a real dbt, which `.ci/run` installs apart."""
