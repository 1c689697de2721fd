"""Replaces secrets in messages with `***`.

Drivers, URL parsers and proxies quote what they were given, whole or in parts, encoded or decoded.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

STARS = "***"
SHORTEST = 3
#: User and password in front of a host, up to the last @: a password may hold one.
USERINFO = re.compile(r"([a-z][a-z0-9+.\-]*:/{1,2})(?!/?user:password@)[^\s'\"<>]*@", re.IGNORECASE)
#: What a query string, a DSN or a header calls a secret.
NAMED = re.compile(
    r"\b([\w-]*(?:passw(?:or)?d|pwd|token|secret|api_?key|private_key|passphrase|signature)"
    r"['\"]?\s*[=:]\s*)('[^']*'|\"[^\"]*\"|(?!/)[^\s&'\",;)}]+)",
    re.IGNORECASE,
)
_known: set[str] = set()


def conceal(secret: object) -> None:
    """Replace a secret in all messages from now on, in every form in which it may be quoted."""
    text = str(secret or "").strip()
    for part in {text, *(line.strip() for line in text.splitlines())}:
        if len(part) >= SHORTEST:
            _known.add(part)


def conceal_url(url: str) -> None:
    """Conceal the user and password of a URL, and the secrets in its query."""
    start, end = url.find("://"), url.rfind("@")
    if -1 < start < end:
        conceal(url[start + 3 : end])
        conceal(url[start + 3 : end].partition(":")[2])
    for match in NAMED.finditer(url):
        conceal(match[2])


def redacted(text: str, *, ours: bool = False) -> str:
    """Return a text without secrets.

    In a text of `ours`, a secret that is also a common word is not replaced.
    """
    text = NAMED.sub(rf"\1{STARS}", USERINFO.sub(rf"\1{STARS}@", text))
    pattern = _pattern(frozenset(filter(_is_no_word, _known) if ours else _known))
    return pattern.sub(STARS, text) if pattern else text


def clean(error: BaseException) -> None:
    """Replace the secrets in the messages of an error and of all errors that it wraps, in place."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__, *vars(one).values(), *one.args]
        one.args = tuple(_cleaned(value) for value in one.args)
        for name, value in vars(one).items():
            if isinstance(value, str):
                setattr(one, name, redacted(value))


def _cleaned(value: object) -> object:
    if isinstance(value, BaseException | int | float) or value is None:
        return value
    text = str(value)
    starred = redacted(text)
    return value if starred == text else starred


def _is_no_word(secret: str) -> bool:
    return len(secret) >= 12 or (len(secret) >= 6 and not secret.isalpha())


@lru_cache(maxsize=4)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST}
    if not forms:
        return None
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, decoded, and encoded for URLs, JSON, Python and HTTP basic."""
    for plain in {secret, unquote(secret), unquote_plus(secret)}:
        yield plain
        yield from (quote(plain), quote(plain, safe=""), quote(plain, safe=" +"), quote_plus(plain))
        yield from (json.dumps(plain)[1:-1], repr(plain)[1:-1])
        for basic in (plain, f"{plain}:", f":{plain}"):
            yield base64.b64encode(basic.encode("utf-8", "surrogateescape")).decode().rstrip("=")


def host_of(url: str) -> str:
    """Return scheme, host and port of a URL for messages; empty if it is not a URL."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
    except ValueError:
        return ""
