"""Partition keys: the ids of parents, with the characters escaped that Dagster cannot take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote, unquote

# Dagster cuts ranges at "...", its UI cuts lists at commas and reads brackets as syntax
SAFE = " -_.:@/+=#&!?$*;'()~"


def partition_key(parent_id: str) -> str:
    """The partition key of a parent's id; ordinary ids are their own keys."""
    if parent_id.isalnum() and parent_id.isascii():  # most are, and there may be many
        return parent_id
    return quote(parent_id, safe=SAFE).replace("...", "%2E%2E%2E")


def parent_id(key: str) -> str:
    """The id that a partition key stands for."""
    return unquote(key)


def in_order(keys: Iterable[str]) -> list[str]:
    """Keys in a stable order: short before long, so that numbers stand in theirs."""
    return sorted(keys, key=lambda key: (len(key), key))


def contiguous_ranges(
    keys: Iterable[str], order: Sequence[str], longest: int = 0
) -> list[list[str]]:
    """Keys in unbroken stretches of an order; those that it does not hold are left out.

    None holds more than `longest` keys; 0 is no limit.

    Dagster marks every partition of a range run that fails, also those it was not meant for, so
    a range must hold nothing else.
    """
    wanted = set(keys)
    found: list[list[str]] = []
    unbroken = False
    for key in order:
        if key in wanted and unbroken and len(found[-1]) != longest:
            found[-1].append(key)
        elif key in wanted:
            found.append([key])
        unbroken = key in wanted
    return found


def range_tags(keys: Sequence[str]) -> dict[str, str]:
    """The run tags that select a range of partitions, from the first of these keys to the last.

    None without keys: the run is of whole tables.
    """
    if not keys:
        return {}
    return {
        "dagster/asset_partition_range_start": keys[0],
        "dagster/asset_partition_range_end": keys[-1],
    }


def keys_of(tags: Mapping[str, str], order: Callable[[], Sequence[str]]) -> Sequence[str | None]:
    """The partitions that a run's tags select; None, for all of it, where they select none.

    `order` gives the keys in their order, and is asked only for a range of several.
    """
    one = tags.get("dagster/partition")
    first = tags.get("dagster/asset_partition_range_start", one)
    last = tags.get("dagster/asset_partition_range_end", one)
    if first == last:
        return [first]
    known = list(order())
    if first not in known or last not in known:
        return [None]
    return known[known.index(first) : known.index(last) + 1]
