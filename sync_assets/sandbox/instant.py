"""The account at one second, from which every row is computed."""

from dataclasses import dataclass

from sync_assets.sandbox.growth_curve import GrowthCurve
from sync_assets.sandbox.scale import Scale
from sync_assets.sandbox.seeded_random import SeededRandom

MINUTE, HOUR, DAY = 60, 3600, 86400

# Mean 1, repeated over eight parents, so that the total hardly depends on the day.
TENTHS_OF_MEAN = (3, 10, 6, 15, 1, 22, 9, 14)


@dataclass(frozen=True, eq=False)
class Instant:
    """The seed, the sizes and the time in unix seconds; caches go by identity, which is cheap."""

    seed: int
    scale: Scale
    now: int

    def dice(self, kind: str, *ordinals: int) -> SeededRandom:
        """Return the random numbers of one row."""
        return SeededRandom(f"{self.seed}:{kind}:{ordinals}")

    def pace(self, kind: str, total: int, span: int, start: int = 0) -> GrowthCurve:
        """Return the growth curve of one list; with exact sizes it ends now."""
        if self.scale.exact and start:
            span = max(1, min(span, self.now - start))
        return GrowthCurve(f"{self.seed}:{kind}", start, span, total)

    def size(self, mean: int, parent: int) -> int:
        """Return how many rows a list below a parent has."""
        if self.scale.exact:
            return mean
        return mean * TENTHS_OF_MEAN[parent % len(TENTHS_OF_MEAN)] // 10
