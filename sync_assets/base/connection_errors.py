"""One sentence and a remedy for a server that cannot be reached, instead of urllib3's message."""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected
from typing import TypeVar

from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors

from sync_assets.base.secrets import host_of

T = TypeVar("T", bound=BaseException)
PROXY = "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."
BASE_URL = "Check the base URL"
AWAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})


def plainly(error: BaseException) -> str | None:
    """Return the sentence for an error of a request, or None if the error has another cause."""
    if not isinstance(error, requests_errors.RequestException | urllib3_errors.HTTPError | OSError):
        return None
    behind = list(_behind(error))
    if sentence := _of_proxy(behind):
        return sentence
    where = next(filter(None, map(_asked, behind)), "") or "the server"
    return (
        _of_certificate(behind, where)
        or _of_address(behind, where)
        or _of_time(behind, where)
        or _of_answer(behind, where)
    )


def _of_proxy(behind: list[BaseException]) -> str | None:
    if "SOCKS" in str(behind[0]):
        return f"a SOCKS proxy needs the package PySocks. Install it, or: {PROXY}"
    if _first(behind, requests_errors.InvalidProxyURL) or _first(
        behind, urllib3_errors.ProxySchemeUnknown
    ):
        return f"the address of the proxy is not a URL. {PROXY}"
    if not _first(behind, urllib3_errors.ProxyError):
        return None
    failed = _first(behind, urllib3_errors.NewConnectionError)
    conn = getattr(failed, "conn", None)
    proxy = f"the proxy {conn.host}:{conn.port}" if conn else "the proxy"
    refusal = re.search(r"Tunnel connection failed: (\d{3})", str(behind[0]))
    if refusal:
        wants = ": it requires a user and a password" if refusal[1] == "407" else ""
        return f"{proxy} answered {refusal[1]}{wants}. {PROXY}"
    why = _why_unreachable(behind) or "does not answer as a proxy does"
    return f"{proxy} {why}. {PROXY}"


def _of_certificate(behind: list[BaseException], where: str) -> str | None:
    if bad := _first(behind, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {where} is not trusted (CERTIFICATE_VERIFY_FAILED: "
            f"{bad.verify_message}). {BASE_URL}, or let REQUESTS_CA_BUNDLE name the file of the "
            "authority that signed it."
        )
    if found := _first(behind, ssl.SSLError):
        if "WRONG_VERSION_NUMBER" in str(found) or "UNKNOWN_PROTOCOL" in str(found):
            return f"{where} does not speak TLS. {BASE_URL}: it may have to begin with http://."
        return f"no secure connection to {where}: {found.reason or 'TLS failed'}. {BASE_URL}."
    if "TLS CA certificate bundle" in str(behind[0]):
        return (
            "the file of certificates that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names is not "
            "there. Correct or unset it."
        )
    return None


def _of_address(behind: list[BaseException], where: str) -> str | None:
    if not _first(behind, urllib3_errors.NewConnectionError):
        return None
    why = _why_unreachable(behind)
    return f"{where} {why}. {BASE_URL} and this machine's network." if why else None


def _why_unreachable(behind: list[BaseException]) -> str | None:
    if _first(behind, urllib3_errors.NameResolutionError):
        return "cannot be found: its name does not resolve"
    if _first(behind, ConnectionRefusedError):
        return "refuses the connection: nothing listens there"
    if _first(behind, urllib3_errors.ConnectTimeoutError):
        return "cannot be reached in time"
    if any(isinstance(e, OSError) and e.errno in AWAY for e in behind):
        return "cannot be reached from this machine"
    return None


def _of_time(behind: list[BaseException], where: str) -> str | None:
    limit = re.search(r"timeout=(\d[\d.]*)", str(behind[0]))
    within = f"within {float(limit[1]):g} s" if limit else "in time"
    if _first(behind, urllib3_errors.ConnectTimeoutError):
        return f"{where} cannot be reached {within}. {BASE_URL} and this machine's network."
    if _first(behind, urllib3_errors.ReadTimeoutError):
        return f"{where} did not answer {within}. It may be slow or down: sync again later."
    return None


def _of_answer(behind: list[BaseException], where: str) -> str | None:
    if _first(behind, RemoteDisconnected):
        return f"{where} closed the connection without an answer. Sync again later."
    if _first(behind, BadStatusLine):
        return f"{where} answers, but not in HTTP. {BASE_URL}."
    if short := _first(behind, IncompleteRead):
        partial, left = short.partial, short.expected  # a number of bytes in urllib3's
        got = partial if isinstance(partial, int) else len(partial)
        count = f" after {got} bytes, {left} are missing" if left else ""
        return f"{where} cut its answer off{count}. Sync again later."
    if _first(behind, ConnectionResetError) or _first(behind, BrokenPipeError):
        return f"{where} broke the connection off. Sync again later."
    if _first(behind, urllib3_errors.DecodeError):
        return f"{where} sent a body that is not compressed as its Content-Encoding says."
    return None


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all errors that it wraps."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__]
        if not one.__suppress_context__:
            waiting.append(one.__context__)


def _first(behind: list[BaseException], kind: type[T]) -> T | None:
    return next((error for error in behind if isinstance(error, kind)), None)


def _asked(error: BaseException) -> str:
    return host_of(getattr(getattr(error, "request", None), "url", None) or "")
