"""A box office with a million tickets, played for days: see `__main__`."""
