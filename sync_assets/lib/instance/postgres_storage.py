"""Dagster's storage on Postgres that keeps its connections open.

Outside of its webserver Dagster connects anew for each statement, and it records two events for
each partition and asset of a run. The tables are Dagster's own. If a version of Dagster differs
from what is expected, its own event log is used, with one warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster import EventLogEntry, StringSource

# Private to Dagster, which has no public name for it; read in 1.13.27.
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from sync_assets.lib.instance.fallback import or_dagsters_own


class KeptPostgresEventLog(PostgresEventLogStorage):
    """The event log with a kept connection; parallel threads open further ones and close them."""

    def __init__(self, postgres_url: str) -> None:
        super().__init__(postgres_url)
        self._engine = create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,  # the server may have been restarted
        )

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; again if the connection was lost meanwhile, so it may be stored twice."""
        try:
            super().store_event(event)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            super().store_event(event)

    def dispose(self) -> None:
        """Close the connections."""
        super().dispose()
        self._engine.dispose()


class KeptPostgresStorage(DagsterPostgresStorage):
    """Runs, events and schedules in one database."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        with or_dagsters_own("event log on Postgres"):
            self._event_log_storage = _kept_event_log(self._event_log_storage, postgres_url)

    @classmethod
    def config_type(cls) -> Any:
        """The config in `dagster.yaml`: `postgres_url`, or the variable that holds it."""
        return {"postgres_url": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptPostgresStorage:
        """Build the storage from the config in `dagster.yaml`."""
        return cls(config_value["postgres_url"], inst_data)


def _kept_event_log(own: Any, postgres_url: str) -> Any:
    """Return the event log, if Dagster's own has the engine that this one replaces."""
    own._engine  # noqa: B018 - raises where Dagster calls it otherwise (read in 1.13.27)
    return KeptPostgresEventLog(postgres_url)
