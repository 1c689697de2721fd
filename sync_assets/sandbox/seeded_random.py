"""Reproducible random values: the same key gives the same values in every process."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class SeededRandom:
    """Draws from the digest of a key, several times cheaper to set up than `random.Random`."""

    def __init__(self, key: str) -> None:
        digest = blake2b(key.encode(), digest_size=32).digest()
        self._left = int.from_bytes(digest, "big")

    def below(self, limit: int) -> int:
        """Draw an integer from 0 to `limit - 1`."""
        self._left, drawn = divmod(self._left, limit)
        return drawn

    def pick(self, items: Sequence[T]) -> T:
        """Draw one of the items."""
        self._left, drawn = divmod(self._left, len(items))
        return items[drawn]

    def once_in(self, times: int) -> bool:
        """Be true once in so many times."""
        return self.below(times) == 0

    def code(self, length: int) -> str:
        """Draw a code of capitals and digits."""
        return f"{self.below(16**length):0{length}X}"
