"""Dagster's storage on SQLite with kept connections: the class that `dagster.yaml` names.

If a version of Dagster lacks what the event log uses, Dagster's own takes its place, with one
warning; it is slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Private to Dagster, which has no public name for it; read in 1.13.27.
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from sync_assets.lib.instance.fallback import or_dagsters_own


class KeptSqliteStorage(DagsterSqliteStorage):
    """Runs, events and schedules in one folder, with the layout of Dagster's own."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        with or_dagsters_own("event log on SQLite"):
            self._event_log_storage = _kept_event_log(self._event_log_storage)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptSqliteStorage:
        """Build the storage in the `base_dir` of `dagster.yaml`."""
        return cls.from_local(inst_data=inst_data, **config_value)


def _kept_event_log(own: Any) -> Any:
    """Return the event log for the folder, once a connection has worked."""
    from sync_assets.lib.instance.sqlite_event_log import KeptSqliteEventLog

    kept = KeptSqliteEventLog(own._base_dir)
    kept.path_for_shard("any")
    with kept.index_connection():
        return kept
