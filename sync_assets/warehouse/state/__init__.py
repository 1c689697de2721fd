"""What the warehouse knows of each list: the tables `_syncs` and `_quarantine`, and dlt's notes."""
