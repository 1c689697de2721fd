"""Tests of reading an API."""
