"""Cancels what the warehouse executes when a sync is stopped; the warehouse rolls it back.

dlt loads in threads of its own, which signals do not reach, over connections that it opens itself.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from dlt.common.destination import AnyDestination

from sync_assets.base import stop

#: What drivers call it (DuckDB, psycopg2); a statement of another driver is waited for.
METHODS = ("interrupt", "cancel")


class Cancellation:
    """Knows the connections that dlt opens to one destination."""

    def __init__(self, destination: AnyDestination) -> None:
        self._stop = stop.current()
        self._open: stop.Living[Any] = stop.Living()
        self._error: type[Exception] = Exception
        make = destination.client

        def client(*args: Any, **kwargs: Any) -> Any:
            made: Any = make(*args, **kwargs)
            self._follow(made.sql_client)
            return made

        destination.client = client  # type: ignore[method-assign]
        self._stop.aborts(self)

    def abort(self) -> None:
        """Cancel what each connection executes."""
        for connection in self._open.now():
            for cancel in (getattr(connection, name, None) for name in METHODS):
                if cancel is not None:
                    with suppress(self._error):  # it was closed just now
                        cancel()

    def _follow(self, client: Any) -> None:
        open_connection, self._error = client.open_connection, client.dbapi.Error

        def follow() -> Any:
            connection = open_connection()
            if not self._stop.is_requested:
                self._open.add(connection)
            elif threading.current_thread() is not threading.main_thread():
                client.close_connection()
                self._stop.check()
            return connection  # after a stop the main thread cleans up

        client.open_connection = follow
