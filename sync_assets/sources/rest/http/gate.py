"""Stops requests to an API that refused the credential or asked for too long a pause.

A thousand lists below one bad credential cost a few requests and report one cause.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sync_assets.base.errors import RefusedError, ResponseError
from sync_assets.sources.rest.list_key import ListKey

#: Refusals that are believed to be about the credential.
ENOUGH = 3


class Gate:
    """Closes for the rest of one sync; later lists fail with the same reason.

    A 401 concerns the credential: `ENOUGH` lists refused in a row close the gate. A 403 may
    concern one record. So only 403s of different parents count, and only while no request has
    succeeded; finally a list without a parent is requested as a witness.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason: ResponseError | None = None
        self._refused: dict[int, set[ListKey]] = {401: set(), 403: set()}
        self._is_good = False
        self._throttled_at: float | None = None

    @property
    def is_closed(self) -> bool:
        """Whether no further requests are sent."""
        return self._reason is not None

    def check(self) -> None:
        """Raise the reason if the gate is closed."""
        if self._reason is not None:
            raise self._reason

    def close(self, reason: ResponseError) -> None:
        """Send no further requests."""
        self._reason = self._reason or reason

    def answered(self) -> None:
        """Note that a request succeeded."""
        self._is_good, self._throttled_at = True, None
        self._refused[401].clear()

    def throttled(self) -> float:
        """Note a 429; return the monotonic time of the first one since the last success."""
        with self._lock:
            self._throttled_at = self._throttled_at or time.monotonic()
            return self._throttled_at

    def refused(self, error: RefusedError, of: ListKey, witness: Callable[[], bool]) -> str | None:
        """Note that a list was refused; return the message if that closes the gate."""
        with self._lock:
            found = self._refused[error.status]
            found.add(of)
            if self._reason or not self._is_enough(error.status):
                return None
            if error.status == 403 and witness():
                self.answered()
                return None
            reason = f"{error}. {len(found)} lists in a row were refused like that"
            self.close(ResponseError(f"not asked for, since {reason}"))
            return f"{reason}: nothing more is asked for"

    def _is_enough(self, status: int) -> bool:
        found = self._refused[status]
        if status == 401:
            return len(found) >= ENOUGH
        return not self._is_good and len({p or r for r, p in found}) >= ENOUGH
