"""Reports: assets whose page shows a table and a plot of synced rows."""
