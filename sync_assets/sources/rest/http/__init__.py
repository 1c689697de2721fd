"""Sends requests: rates, retries, waits, and credentials that go to one origin only."""
