"""Partition keys: ids of parents in which characters that Dagster does not accept are escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote, unquote

# Dagster cuts ranges at "...", its UI cuts lists at commas and reads brackets as syntax
SAFE = " -_.:@/+=#&!?$*;'()~"


def partition_key(parent_id: str) -> str:
    """Return the partition key of a parent's id; ordinary ids stay as they are."""
    if parent_id.isalnum() and parent_id.isascii():  # most are, and there may be many
        return parent_id
    return quote(parent_id, safe=SAFE).replace("...", "%2E%2E%2E")


def parent_id(key: str) -> str:
    """Return the id that a partition key stands for."""
    return unquote(key)


def in_order(keys: Iterable[str]) -> list[str]:
    """Sort keys: shorter ones first, so that numbers are in their order."""
    return sorted(keys, key=lambda key: (len(key), key))


class KeyOrder:
    """Partition keys in the order in which Dagster reads a range."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = list(keys)
        self._places = {key: place for place, key in enumerate(self._keys)}

    def between(self, first: str, last: str) -> list[str] | None:
        """Return the keys from one to another; None if it does not contain both."""
        if first not in self._places or last not in self._places:
            return None
        return self._keys[self._places[first] : self._places[last] + 1]


def keys_of(tags: Mapping[str, str], order: Callable[[], KeyOrder]) -> Sequence[str | None]:
    """Return the partitions that the tags of a run select; [None] if they select none.

    `order` is called only for a range of several keys.
    """
    one = tags.get("dagster/partition")
    first = tags.get("dagster/asset_partition_range_start", one)
    last = tags.get("dagster/asset_partition_range_end", one)
    if first == last or first is None or last is None:
        return [first]
    return order().between(first, last) or [None]
