"""What the warehouse knows of each list: `_syncs`, `_quarantine`, and dlt's own records."""
