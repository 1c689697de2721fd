"""The errors that this project raises.

SyncError
├── ConfigurationError    a setting is missing or wrong: nothing was requested
├── ListError             a list could not be read to its end: which one, where and why
│   └── EmptyListError    ... because it is empty, though the warehouse holds rows of it
└── ResponseError         a response is not the page that was requested
    ├── TransientError    ... and the same request may succeed later
    ├── TornError         ... and does not join the page before: the list is read again
    ├── LimitError        ... because the API sends fewer rows than were requested
    ├── RefusedError      ... because the credential is refused
    └── RestError         ... because the API asks for a pause longer than a sync may wait

Messages hold no secrets, not even those quoted from other packages.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sync_assets.base import times
from sync_assets.base.connection_errors import plainly
from sync_assets.base.personal_data import discreet
from sync_assets.base.secrets import clean, redacted

#: Seconds. Whoever asks for a longer rest is asked again once an hour: it may not be meant.
LONGEST_REST = 3600.0


class SyncError(Exception):
    """The base of all errors that this project raises."""

    def __init__(self, message: str = "") -> None:
        super().__init__(redacted(message, ours=True))


class ConfigurationError(SyncError):
    """A setting is missing or wrong; the message names the variable and the remedy."""


class ListError(SyncError):
    """A list could not be read to its end; the message names resource, parent, page and cause."""


class EmptyListError(ListError):
    """A list that held rows came back empty, and the run did not say `allow_empty`."""


class ResponseError(SyncError):
    """A response of the API is not the page that was requested."""


class TransientError(ResponseError):
    """A response after which the same request may succeed.

    `retry_after` is the pause in seconds that the API asked for. `too_many` says whether the API
    refused the request because of a rate limit.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, too_many: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.too_many = too_many


class RefusedError(ResponseError):
    """The API refuses the credential with status 401 or 403, at least for this list."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class RestError(ResponseError):
    """The API asks for a pause, in seconds, that is longer than a sync may wait."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = min(seconds, LONGEST_REST)
        self.ends_at = times.now() + timedelta(seconds=self.seconds)


def asked_to_rest(seconds: float, max_wait: float) -> RestError:
    """Return the error of lists that are not read because of a pause of so many seconds."""
    error = RestError("", seconds)
    error.args = (
        f"not asked for: the API asks to be left alone until {error.ends_at:%Y-%m-%d %H:%M:%S} "
        f"UTC, for longer than max_wait, {max_wait:.0f} s. Sync again after that.",
    )
    return error


def rest_ends_at(error: BaseException | None) -> datetime | None:
    """Return the end of the pause that the API asked for, if that caused an error."""
    while error is not None and not isinstance(error, RestError):
        error = error.__cause__
    return None if error is None else error.ends_at


class TornError(ResponseError):
    """Pages do not join to one list; reading the list again from its start may help."""


class LimitError(ResponseError):
    """The API does not accept the page size, so its lists are read without overlapping pages."""


def brief(error: BaseException) -> str:
    """Return the message of an error without secrets and without the values of rows.

    The secrets in the error itself are removed too, because loggers and Dagster also show the
    errors that it wraps.
    """
    if isinstance(error, SyncError):
        return str(error)
    sentence = plainly(error)
    clean(error)
    text = sentence or redacted(str(error)).strip()
    return discreet(f"{type(error).__name__}: {text}") if text else type(error).__name__
