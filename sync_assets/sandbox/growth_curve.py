"""When the rows of an ever growing series come into being."""

from dataclasses import dataclass
from zlib import crc32


@dataclass(frozen=True)
class GrowthCurve:
    """`total` rows in each `span` seconds from `start` on, irregularly but in order."""

    key: str
    start: int
    span: int
    total: int

    def at(self, ordinal: int) -> int:
        """Return the unix time at which a row is created."""
        jitter = crc32(f"{self.key}:{ordinal}".encode()) * self.span >> 32
        return self.start + (ordinal * self.span + jitter) // self.total

    def until(self, now: int) -> int:
        """Count the rows created so far."""
        if not self.total or now < self.start:
            return 0
        count = ((now - self.start + 1) * self.total - 1) // self.span + 1
        return count - (self.at(count - 1) > now)

    def first_span(self, now: int) -> range:
        """Return the ordinals that exist in a series that ends after one span."""
        return range(min(self.total, self.until(now)))

    def newest(self, now: int) -> range:
        """Return the ordinals listed in a series that keeps its newest `total` rows."""
        end = self.until(now)
        return range(end - self.total, end)

    def lasting(self, now: int) -> range:
        """Return those of the newest that stay listed for at least a quarter of the span."""
        end = self.until(now)
        return range(end - max(1, self.total * 3 // 4), end)
