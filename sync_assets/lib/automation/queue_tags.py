"""The tags by which Dagster's queue keeps the runs of one source from blocking those of others.

`dagster.yaml` limits how many runs with the same value of each tag execute at once.
"""

from __future__ import annotations

from sync_assets.sources.rest.api import Api

SOURCE = "sync_assets/source"
PARTITIONS_OF = "sync_assets/partitions_of"
PRIORITY = "dagster/priority"


def queue_tags(api: Api, *, partitioned: bool) -> dict[str, str]:
    """Return the tags of a run: its source, and whether it syncs tables, which have priority."""
    kind = {PARTITIONS_OF: api.name} if partitioned else {PRIORITY: "1"}
    return {SOURCE: api.name, **kind}
