"""How requests are sent: rates, retries, waits, and credentials that go to one origin."""
