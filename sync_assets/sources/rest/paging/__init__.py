"""Follows the pages of a list, and proves that they are one list."""
