"""How a source is reached: ordinary dlt configuration under `SOURCES__<SOURCE>__*`."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import dlt
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue, extract_inner_type, is_optional_type

from sync_assets.sources.rest.errors import ConfigurationError

SANDBOX = "sandbox"
LEAST = {
    "page_size": 1,
    "max_concurrency": 1,
    "requests_per_minute": 0,
    "max_retries": 0,
    "backoff_factor": 0,
    "max_wait": 0,
    "timeout": 0.001,
}


@configspec
class ApiSettings(BaseConfiguration):
    """Where an API is and how hard it may be asked.

    `requests_per_minute` 0 is no limit. `keep_pages` has no effect any more.
    """

    base_url: str = None  # type: ignore[assignment]  # dlt's mark of a required field
    page_size: int | None = None
    max_concurrency: int = 8
    requests_per_minute: int | None = None
    max_retries: int = 3
    backoff_factor: float = 2.0
    max_wait: float = 300.0
    timeout: float = 60.0
    keep_pages: float | None = None

    secret_field: ClassVar[str] = ""

    @property
    def secret(self) -> str:
        """The credential, whatever the API calls it."""
        return str(getattr(self, self.secret_field) or "")


@configspec
class BearerTokenSettings(ApiSettings):
    """An API that calls its credential a bearer token."""

    bearer_token: TSecretStrValue | None = None
    secret_field: ClassVar[str] = "bearer_token"


@configspec
class ApiKeySettings(ApiSettings):
    """An API that calls its credential an API key."""

    api_key: TSecretStrValue | None = None
    secret_field: ClassVar[str] = "api_key"


@configspec
class SandboxSettings(BaseConfiguration):
    """Which account the sandbox plays; `now` (ISO 8601) freezes its clock."""

    seed: int = 7
    now: str | None = None
    promotions: int = 30
    event_series: int = 8


TSettings = TypeVar("TSettings", bound=BaseConfiguration)


def variable(source: str, field: str) -> str:
    """The environment variable of a source's setting."""
    return f"SOURCES__{source}__{field}".upper()


def resolve(spec: TSettings, sections: list[str], explicit: dict[str, Any]) -> TSettings:
    """Fill a spec from dlt's configuration; a missing or unreadable field names its variable.

    Each field is looked up under its full name only: dlt itself would also take the bare
    `API_KEY` of some other tool.
    """
    for name, hint in spec.get_resolvable_fields().items():
        path = [*sections, name]
        value = explicit.get(name)
        if value is None:
            value = _configured(path, extract_inner_type(hint))
        if value is not None:
            setattr(spec, name, value)
        elif getattr(spec, name) is None and not is_optional_type(hint):
            raise ConfigurationError(
                f"{'__'.join(path).upper()} is not set. Set it in the environment or in "
                f'.dlt/config.toml (`base_url = "{SANDBOX}"` needs no account).'
            )
    return spec


def _configured(path: list[str], expected: type[Any]) -> Any:
    try:
        return dlt.config.get(".".join(path), expected)
    except ValueError:
        raise ConfigurationError(f"{'__'.join(path).upper()} must be a number.") from None


def resolve_api(spec: ApiSettings, source: str, explicit: dict[str, Any]) -> ApiSettings:
    """Resolve and validate an API's settings; raise `ConfigurationError` before any request."""
    settings = resolve(spec, ["sources", source], explicit)
    if settings.base_url != SANDBOX and not _is_url(settings.base_url):
        raise ConfigurationError(
            f"{variable(source, 'base_url')} must be an http(s) URL or the word "
            f"{SANDBOX!r}, not {settings.base_url!r}."
        )
    for field, least in LEAST.items():
        value = getattr(settings, field)
        if value is not None and not value >= least:
            raise ConfigurationError(f"{variable(source, field)} must be at least {least}.")
    if settings.base_url != SANDBOX and not settings.secret.strip():
        raise ConfigurationError(
            f"{variable(source, settings.secret_field)} is not set. Set it in the environment or "
            f"in .dlt/secrets.toml, or set {variable(source, 'base_url')}={SANDBOX}."
        )
    if not (settings.secret.isascii() and settings.secret.isprintable()):
        raise ConfigurationError(
            f"{variable(source, settings.secret_field)} holds a line break or another character "
            "that no HTTP header can carry. Set it anew."
        )
    return settings


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # brackets that do not match, a port that is none
        return False
