"""Everything that can go wrong between a configuration and a complete list.

SyncError
├── ConfigurationError    a setting is missing or wrong: nothing was requested
├── ListError             one list could not be read to its end: says which, where and why
│   └── EmptyListError    it read as empty, though the warehouse holds rows of it
└── ResponseError         one answer was not the page that was asked for
    ├── TransientError    ... and asking again may help
    └── TornError         ... beside those before it: reading the list again may help

No message holds a secret, whoever said it first.
"""

from __future__ import annotations

from sync_assets.sources.rest.plain import plainly
from sync_assets.sources.rest.secrets import clean, redacted


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

    `retry_after` is the wait in seconds the API asked for, `too_many` whether that is for all of
    its requests.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, too_many: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.too_many = too_many or bool(retry_after)


class TornError(ResponseError):
    """The pages that came are not one list; reading it again from its start may help."""


def brief(error: BaseException) -> str:
    """The message of an error in our words and without secrets, which it loses itself, too.

    Loggers, and Dagster, tell the errors behind ours as well.
    """
    if isinstance(error, SyncError):
        return str(error)
    sentence = plainly(error)
    clean(error)
    text = sentence or redacted(str(error)).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
