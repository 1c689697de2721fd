"""Reads the proxy for an API from the environment, and refuses a wrong one."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from requests import Session
from requests.utils import select_proxy
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from sync_assets.base.errors import ConfigurationError
from sync_assets.base.secrets import conceal_url

SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


def refuse_wrong_proxy(base_url: str) -> None:
    """Raise `ConfigurationError` if the proxy for a base URL is not a valid address."""
    proxy = select_proxy(base_url, environment(base_url)["proxies"]) or ""
    conceal_url(proxy)
    if proxy and not _is_address(proxy):
        scheme = base_url.partition(":")[0].upper()
        raise ConfigurationError(
            f"{scheme}_PROXY (or ALL_PROXY) must be an address such as http://proxy.example.com"
            ":3128; what is not a letter or digit in its password is %-encoded, @ as %40. Set it "
            "anew, or let NO_PROXY name the host of the API."
        )


def environment(base_url: str) -> dict[str, Any]:
    """Return what the environment sets for a URL: proxies and certificates.

    A loopback address, such as the sandbox's, gets no proxy.
    """
    found = dict(Session().merge_environment_settings(base_url, {}, None, None, None))
    return {**found, "proxies": {}} if is_loopback(urlsplit(base_url).hostname or "") else found


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by name or by address."""
    try:
        number = ip_address(host)
        return (getattr(number, "ipv4_mapped", None) or number).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_address(proxy: str) -> bool:
    try:
        url = parse_url(proxy if "://" in proxy else f"http://{proxy}")
    except (HTTPError, ValueError):
        return False
    return url.scheme in SCHEMES and bool(url.host) and url.port != 0 and not url.query
