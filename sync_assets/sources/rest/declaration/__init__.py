"""Reads and checks the declaration of an API."""
