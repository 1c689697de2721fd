"""What of a warehouse's errors may be over soon, and which table a load failed for.

A lost connection, a deadlock or a server without room may; a constraint that a row violates, a
value of a wrong type or a right that is missing is there again the next time.
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
    """The error to raise for one of a driver or of dlt, by what is behind it."""
    chain = list(_chain(error))
    said = f"{what}: {brief(chain[-1])}"
    if is_transient(error):
        return WarehouseLostError(said)
    for one in chain:
        if isinstance(one, LoadClientJobException) and isinstance(one, JOBS):
            return TableRefusedError(said, one.job_id.partition(".")[0])
    return WarehouseError(said)


def is_transient(error: BaseException) -> bool:
    """Whether the same may work in a while; where nothing else tells, what dlt thinks of it."""
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
    """An error and those that it came from."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
