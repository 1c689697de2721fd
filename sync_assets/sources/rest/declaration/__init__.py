"""What the author of an API declares, and what a declaration must be."""
