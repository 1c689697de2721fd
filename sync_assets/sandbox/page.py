"""One page of a list as bytes, and the tag that tells it from every other."""

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Page:
    """An encoded page."""

    body: bytes

    @cached_property
    def etag(self) -> str:
        """The value of its ETag header."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'
