"""The assets of an API, and what a run does to materialize them."""
