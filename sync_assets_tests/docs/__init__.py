"""What the documents claim, and the tables that are generated for them."""
