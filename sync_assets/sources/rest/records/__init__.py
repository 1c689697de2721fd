"""Makes typed arrow tables of the JSON records of a page."""
