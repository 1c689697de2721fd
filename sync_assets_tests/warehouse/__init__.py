"""Tests of loading into the warehouse."""
