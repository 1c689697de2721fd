"""The proxy on the way to an API: the environment names it, and may name it wrong."""

from __future__ import annotations

from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from sync_assets.sources.rest.errors import ConfigurationError
from sync_assets.sources.rest.secrets import conceal_url

SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


def refuse_wrong_proxy(base_url: str) -> None:
    """Raise `ConfigurationError` where the proxy for a base URL is no address."""
    proxy = select_proxy(base_url, get_environ_proxies(base_url)) or ""
    conceal_url(proxy)
    if proxy and not _is_address(proxy):
        scheme = base_url.partition(":")[0].upper()
        raise ConfigurationError(
            f"{scheme}_PROXY (or ALL_PROXY) must be an address such as http://proxy.example.com"
            ":3128; what is not a letter or digit in its password is %-encoded, @ as %40. Set it "
            "anew, or let NO_PROXY name the host of the API."
        )


def _is_address(proxy: str) -> bool:
    try:
        url = parse_url(proxy if "://" in proxy else f"http://{proxy}")
    except (HTTPError, ValueError):
        return False
    return url.scheme in SCHEMES and bool(url.host) and url.port != 0 and not url.query
