"""Everything that can go wrong between a configuration and a complete list.

SyncError
├── ConfigurationError    a setting is missing or wrong: nothing was requested
├── ListError             one list could not be read to its end: says which, where and why
│   └── EmptyListError    it read as empty, though the warehouse holds rows of it
└── ResponseError         one answer was not the page that was asked for
    ├── TransientError    ... and asking again may help
    ├── TornError         ... beside those before it: reading the list again may help
    ├── LimitError        ... because the API does not send as many rows as were asked for
    ├── RefusedError      ... but the refusal of a credential
    └── RestError         ... but a wish for more patience than a sync has

No message holds a secret, whoever said it first.
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
    """Base of the errors this project raises on purpose."""

    def __init__(self, message: str = "") -> None:
        super().__init__(redacted(message, ours=True))


class ConfigurationError(SyncError):
    """A setting is missing or wrong; the message names the variable and the remedy."""


class ListError(SyncError):
    """A list could not be read to its end; the message names resource, parent, page and cause."""


class EmptyListError(ListError):
    """A list that held rows came back empty, and the run did not say `allow_empty`."""


class ResponseError(SyncError):
    """One answer of the API was not the page that was asked for."""


class TransientError(ResponseError):
    """An answer worth asking for again.

    `retry_after` is the wait in seconds the API asked for, `too_many` whether it counts requests.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, too_many: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.too_many = too_many


class RefusedError(ResponseError):
    """The API refuses the credential, for this list at least: 401 or 403."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class RestError(ResponseError):
    """The API asks to be left alone for longer than a sync may wait: for so many seconds."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = min(seconds, LONGEST_REST)
        self.ends_at = times.now() + timedelta(seconds=self.seconds)


def asked_to_rest(seconds: float, max_wait: float) -> RestError:
    """Why lists are not asked for in so many seconds from now."""
    error = RestError("", seconds)
    error.args = (
        f"not asked for: the API asks to be left alone until {error.ends_at:%Y-%m-%d %H:%M:%S} "
        f"UTC, for longer than max_wait, {max_wait:.0f} s. Sync again after that.",
    )
    return error


def rest_ends_at(error: BaseException | None) -> datetime | None:
    """Until when the API asks to be left alone, if that is what an error comes from."""
    while error is not None and not isinstance(error, RestError):
        error = error.__cause__
    return None if error is None else error.ends_at


class TornError(ResponseError):
    """The pages that came are not one list; reading it again from its start may help."""


class LimitError(ResponseError):
    """The API does not send pages of any size; its lists have to be read as its links say."""


def brief(error: BaseException) -> str:
    """The message of an error in our words, without secrets and without the values of rows.

    Loggers, and Dagster, tell the errors behind ours as well, so it loses its secrets itself.
    """
    if isinstance(error, SyncError):
        return str(error)
    sentence = plainly(error)
    clean(error)
    text = sentence or redacted(str(error)).strip()
    return discreet(f"{type(error).__name__}: {text}") if text else type(error).__name__
