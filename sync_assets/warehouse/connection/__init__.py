"""The way to the warehouse: destination, credentials, rights, locks, staging."""
