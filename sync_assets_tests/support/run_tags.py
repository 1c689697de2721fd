"""The tags by which a run selects a range of partitions."""

from collections.abc import Sequence


def range_tags(keys: Sequence[str]) -> dict[str, str]:
    """Return the run tags that select the range of these keys; none without keys."""
    if not keys:
        return {}
    return {
        "dagster/asset_partition_range_start": keys[0],
        "dagster/asset_partition_range_end": keys[-1],
    }
