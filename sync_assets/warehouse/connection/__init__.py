"""The connection to the warehouse: destination, credentials, rights, locks, staging."""
