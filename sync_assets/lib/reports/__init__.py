"""Reports: a table and a plot of the synced rows, on the page of an asset."""
