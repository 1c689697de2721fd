"""Dagster's storage on Postgres with connections that are kept, as its webserver keeps them.

Everywhere else Dagster connects anew for each of its statements, and records two events for each
partition and asset of a run. The tables are Dagster's own. Where a version of Dagster is not as
expected, its own event log takes the place of ours, with one warning.
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
    """The event log; threads that meet open further connections, and close them again."""

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
        """Store an event; once more where the server went away meanwhile, so it may stand twice."""
        try:
            super().store_event(event)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            super().store_event(event)

    def dispose(self) -> None:
        """Close what is open."""
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
        """What `dagster.yaml` may say: `postgres_url`, or the variable that holds it."""
        return {"postgres_url": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptPostgresStorage:
        """The storage that `dagster.yaml` names."""
        return cls(config_value["postgres_url"], inst_data)


def _kept_event_log(own: Any, postgres_url: str) -> Any:
    """The event log, if Dagster's own has the engine that ours replaces."""
    own._engine  # noqa: B018 - raises where Dagster calls it otherwise (read in 1.13.27)
    return KeptPostgresEventLog(postgres_url)
