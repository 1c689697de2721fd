"""The typed views: a view for each table, in the dataset `<dataset>_typed`."""
