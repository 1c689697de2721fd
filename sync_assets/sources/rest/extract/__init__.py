"""Reading lists to their end, side by side, and keeping what is complete."""
