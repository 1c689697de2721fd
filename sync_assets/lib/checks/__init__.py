"""The asset checks of an API."""
