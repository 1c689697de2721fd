"""Messages about what went wrong."""
