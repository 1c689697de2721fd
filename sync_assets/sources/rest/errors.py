"""Everything that can go wrong between a configuration and a complete list.

SyncError
├── ConfigurationError    a setting is missing or wrong: nothing was requested
├── ListError             one list could not be read to its end: says which, where and why
│   └── EmptyListError    it read as empty, though the warehouse holds rows of it
└── ResponseError         one answer was not the page that was asked for
└── TransientError    ... and asking again may help
"""

from __future__ import annotations


class SyncError(Exception):
    """Base of the errors this project raises on purpose."""


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


def brief(error: BaseException) -> str:
    """The message of an error without the chatter of wrapped connection errors."""
    text = str(error).strip() or type(error).__name__
    return text if isinstance(error, SyncError) else f"{type(error).__name__}: {text}"
