"""From the JSON records of a page to typed arrow tables."""
