"""Which errors of a warehouse may pass, and for which table a load failed.

A lost connection, a deadlock or a server without resources may pass. A violated constraint, a
value of a wrong type or a missing right occurs again.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlt.common.destination.exceptions import DestinationException, DestinationTransientException
from dlt.load.exceptions import (
    LoadClientJobException,
    LoadClientJobFailed,
    LoadClientJobRetry,
    LoadClientJobTerminalRetry,
)

from sync_assets.base.errors import brief
from sync_assets.warehouse.errors import TableRefusedError, WarehouseError, WarehouseLostError

#: SQLSTATE: connections, rollbacks, resources, an operator's or system's doing; locks, timeouts.
CLASSES = ("08", "40", "53", "57", "58")
CODES = ("25P03", "25P04", "55006", "55P03")
#: The names that PEP 249 gives to what is not the statement's fault.
NAMES = {"OperationalError", "InterfaceError"}
JOBS = (LoadClientJobFailed, LoadClientJobRetry, LoadClientJobTerminalRetry)


def failure_of(error: BaseException, what: str) -> WarehouseError:
    """Return the error to raise for one of a driver or of dlt, by its cause."""
    chain = list(_chain(error))
    said = f"{what}: {brief(chain[-1])}"
    if is_transient(error):
        return WarehouseLostError(said)
    for one in chain:
        if isinstance(one, LoadClientJobException) and isinstance(one, JOBS):
            return TableRefusedError(said, one.job_id.partition(".")[0])
    return WarehouseError(said)


def is_transient(error: BaseException) -> bool:
    """Whether an error may pass; if nothing else tells, dlt's own classification decides."""
    chain = [getattr(one, "dbapi_exception", one) for one in _chain(error)]
    for one in chain:
        if hasattr(one, "pgcode"):
            code = one.pgcode or ""
            return _is_lost(one) if not code else code[:2] in CLASSES or code in CODES
    for one in reversed(list(_chain(error))):
        if isinstance(one, DestinationException):
            return isinstance(one, DestinationTransientException)
    return any(map(_is_lost, chain))


def _is_lost(error: BaseException) -> bool:
    names = {base.__name__ for base in type(error).__mro__}
    return isinstance(error, OSError) or bool(names & NAMES)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
