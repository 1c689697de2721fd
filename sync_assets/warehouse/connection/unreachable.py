"""One sentence and a remedy for a warehouse that cannot be reached."""

from __future__ import annotations

import re

from sync_assets.base.secrets import clean, redacted
from sync_assets.warehouse.connection.credentials import VARIABLE
from sync_assets.warehouse.errors import WarehouseError, WarehouseLostError

#: What libpq says (in English), what that means, and whether it may be over soon.
REASONS = (
    (r"could not translate host name|Name or service not known", "its name does not resolve", True),
    (r"Connection refused", "it refuses the connection: nothing listens there", True),
    (r"timeout expired|timed out", "it does not answer in time", True),
    (r"starting up|shutting down|recovery mode", "it is starting or stopping", True),
    (r"too many (clients|connections)|connection slots", "it has no free connection", True),
    (r"No such file or directory", "no server listens at that socket", True),
    (r"password authentication failed", "it refuses the user or the password", False),
    (r"no password supplied", "it asks for a password, and none is configured", False),
    (r"(?:Peer|Ident|LDAP|GSSAPI|certificate) authentication failed", "it refuses the user", False),
    (r'database "[^"]*" does not exist', "it has no such database", False),
    (r'role "[^"]*" does not exist', "it has no such user", False),
    (r"no pg_hba\.conf entry", "its pg_hba.conf does not let this user in from here", False),
    (r"does not support SSL", "it does not speak SSL, which sslmode asks for", False),
    (r"certificate|SSL", "no secure connection to it can be made: {said}", False),
    (r"invalid (?:dsn|connection option|integer|sslmode)", "the URL has a wrong option", False),
)


def unreachable(error: Exception, where: str) -> WarehouseError:
    """Return the error to raise for one of a driver, a `WarehouseLostError` if it may pass."""
    clean(error)
    said = " ".join(redacted(str(error)).split())
    why, lost = next(
        ((why, lost) for pattern, why, lost in REASONS if re.search(pattern, said)),
        ("{said}", True),
    )
    kind = WarehouseLostError if lost else WarehouseError
    return kind(
        f"The warehouse {where} cannot be reached: {why.format(said=said)}. Check {VARIABLE}."
    )
