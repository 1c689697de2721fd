"""Checks the base URL of an API and brings it into one spelling."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import idna

LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"{LABEL}(?:\.{LABEL})*\.?|\[[0-9a-f:.]+\]")


def normalized(text: str) -> str:
    """Return the URL with scheme and host in lower-case ASCII, without default port and last slash.

    Raises `ValueError` with a text that completes "... must be a URL that". The URL is not quoted,
    because a wrong one may hold a password anywhere.
    """
    if text != text.strip() or re.search(r"\s", text) or not text.isprintable():
        raise ValueError("has no white space, line break or invisible character in or around it")
    if re.search(r"[\"'`<>\\]", text):
        raise ValueError("has no quotes, angle brackets or backslashes in or around it")
    scheme, separator, _ = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise ValueError("begins with http:// or https://")
    for mark, name in (("?", "query"), ("#", "fragment")):
        if mark in text:
            raise ValueError(f"ends before its {name} ({mark}...), which would not be sent")
    return _rebuilt(text)


def _rebuilt(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("has a host, and for a port a number from 1 to 65535") from None
    if "@" in parts.netloc:
        raise ValueError(
            "has no user and password in front of its host: the API's own credential is sent"
        )
    host = _ascii(parts.hostname or "")
    if port == 0 or not HOST.fullmatch(host):
        raise ValueError("has a host, and for a port a number from 1 to 65535")
    default = {"http": 80, "https": 443}[parts.scheme]
    address = host if port in (None, default) else f"{host}:{port}"
    return f"{parts.scheme}://{address}{parts.path.rstrip('/')}"


def _ascii(host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return ""
