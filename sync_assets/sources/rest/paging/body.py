"""Checks the body of a page before any of its rows counts."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
from requests import Response

from sync_assets.base.errors import RefusedError, ResponseError, TransientError
from sync_assets.sources.rest.http.retry_after import asked_wait
from sync_assets.sources.rest.records.encoding import json_kind
from sync_assets.sources.rest.records.numbers import loads

REMEDIES = {
    401: "the credential is missing, wrong or expired",
    403: "the credential is wrong or may not read this",
    404: "there is nothing at this address",
}
UNKNOWN = "see the API's documentation"
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 531)})


def parse(content: bytes) -> Any:
    """Parse JSON without loss: numbers keep all digits, and bytes that are not UTF-8 stay visible.

    orjson is twice as fast but may drop digits. If it writes the same bytes again, it dropped none.
    """
    with suppress(ValueError, TypeError):  # JSON that orjson does not take, or does not write
        value = orjson.loads(content)
        if orjson.dumps(value) == content:
            return value
    return loads(content.decode("utf-8", errors="surrogateescape").lstrip("\ufeff"))


def check_status(response: Response) -> None:
    """Raise for any status but 2xx; a `TransientError` carries the requested wait in seconds."""
    status = response.status_code
    if 200 <= status < 300:
        return
    message = f"the API answered {status} {response.reason or 'without a reason'}"
    if status in RETRIED:
        wait = asked_wait(response.headers, status)
        raise TransientError(message, wait, too_many=status == 429)
    message += f": {REMEDIES.get(status, UNKNOWN)}"
    raise RefusedError(message, status) if status in (401, 403) else ResponseError(message)


def value_at(body: Any, path: str) -> Any:
    """Return the value at a path of names, such as `data.items`; None if there is none."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def check_shape(response: Response, selector: str) -> None:
    """Require a JSON object with a list at the path `selector`; raise `TransientError` otherwise.

    The parsed body is attached to the response, so that each body is parsed once.
    """
    try:
        body = parse(response.content)
    except (ValueError, RecursionError) as error:
        kind = response.headers.get("Content-Type", "no content type")
        size = len(response.content)
        raise TransientError(f"the body is not JSON ({kind}, {size} bytes): {error}") from None
    if not isinstance(body, dict):
        raise TransientError(f"the body is a JSON {json_kind(body)}, not an object with a list")
    rows = value_at(body, selector)
    if not isinstance(rows, list):
        got = "missing" if rows is None and selector not in body else json_kind(rows)
        raise TransientError(f"the list under {selector!r} is {got}; keys: {sorted(body)[:8]}")
    response.json = lambda **_: body  # type: ignore[method-assign]
