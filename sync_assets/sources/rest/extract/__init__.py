"""Reads lists to their end, in parallel, and keeps those that are complete."""
