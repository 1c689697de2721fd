"""The settings of a source, `SOURCES__<SOURCE>__*`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeAlias

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from sync_assets.base.config import Must, above, at_least, one_of
from sync_assets.base.config import resolve as resolve
from sync_assets.base.errors import ConfigurationError
from sync_assets.base.times import parse_time
from sync_assets.sources.rest.declaration.base_url import normalized
from sync_assets.sources.rest.http.proxies import refuse_wrong_proxy
from sync_assets.sources.rest.http.windows import is_quota

SANDBOX = "sandbox"
A_DAY = 86_400  # seconds
TEN_YEARS = 87_600  # hours
Hours: TypeAlias = Annotated[float, at_least(0, TEN_YEARS)]
A_TIME = Must(
    "an ISO 8601 time such as 2026-03-01T12:00:00Z",
    lambda text: not text or (not text.isdigit() and parse_time(text) is not None),
)
A_QUOTA = Must("requests/seconds such as 5000/1800, with white space between", is_quota)
PAGE_SIZES = ("honoured", "refused", "ignored", "lowered")
QUOTES = "\"'`“”‘’«»"


@configspec
class LifeSettings(BaseConfiguration):
    """The hours after its end during which a partition may still change."""

    grace: Hours = 48.0


@configspec
class QuotaSettings(BaseConfiguration):
    """The fields of `ApiSettings` that limit requests, readable without a secret."""

    page_size: Annotated[int | None, at_least(1)] = None
    max_concurrency: Annotated[int, at_least(1)] = 8
    requests_per_minute: Annotated[int | None, at_least(0)] = None
    quota: Annotated[str | None, A_QUOTA] = None
    quota_reserve: Annotated[float, at_least(0, 0.9)] = 0.2
    heads_from_pages: Annotated[int, at_least(2)] = 21


@configspec
class ApiSettings(BaseConfiguration):
    """Where an API is, and how fast it may be read."""

    base_url: str = None  # type: ignore[assignment]  # dlt's mark of a required field
    """The URL before the paths in the README, or `sandbox`, which is never a fallback."""
    page_size: Annotated[int | None, at_least(1)] = None
    """Rows of a page, sent as `limit`; if none is sent, the service decides."""
    max_concurrency: Annotated[int, at_least(1)] = 8
    """Requests in flight."""
    requests_per_minute: Annotated[int | None, at_least(0)] = None
    """Replaces the quota, without a reserve; 0 means no limit."""
    quota: Annotated[str | None, A_QUOTA] = None
    """Windows as the service counts them: requests/seconds, such as `5000/1800 200/60`."""
    quota_reserve: Annotated[float, at_least(0, 0.9)] = 0.2
    """Share of each window that is left to people and other tools."""
    max_retries: Annotated[int, at_least(0)] = 3
    """How often a failed request is sent again; see below."""
    backoff_factor: Annotated[float, at_least(0, A_DAY)] = 2.0
    """Seconds before the first retry, twice as many before each further one."""
    max_wait: Annotated[float, at_least(0, A_DAY)] = 300.0
    """Seconds that one request waits in total; a longer `Retry-After` fails at once."""
    rate_window: Annotated[float | None, at_least(1, A_DAY)] = None
    """Seconds to wait after a 429 that names no time."""
    resume_within: Annotated[float, at_least(0, 168)] = 6.0
    """Hours in which a list that was cut off can be resumed; 0 keeps nothing on disk."""
    timeout: Annotated[float, above(0, A_DAY)] = 60.0
    """Seconds without a response after which a request fails."""
    heads_from_pages: Annotated[int, at_least(2)] = 21
    """Pages from which on a list may be read by its head; shorter lists are always swept."""
    grace: Hours = 48.0
    """Hours after its end during which a promotion or an event series may still change."""
    dataset: str | None = None
    """The dataset of the tables; `_sandbox` is added in the sandbox."""
    take_over: str | None = None
    """Tables that no sync made and that syncs may replace, separated by white space."""
    keep_pages: float | None = None
    """No effect: see `RESUME_WITHIN`."""

    secret_field: ClassVar[str] = ""

    @property
    def secret(self) -> str:
        """The credential, under whichever name the API has for it."""
        return str(getattr(self, self.secret_field) or "")


@configspec
class BearerTokenSettings(ApiSettings):
    """The settings of an API whose credential is a bearer token."""

    bearer_token: TSecretStrValue | None = None
    secret_field: ClassVar[str] = "bearer_token"


@configspec
class ApiKeySettings(ApiSettings):
    """The settings of an API whose credential is an API key."""

    api_key: TSecretStrValue | None = None
    secret_field: ClassVar[str] = "api_key"


@configspec
class SharedQuotaSettings(BaseConfiguration):
    """Where machines share the quota."""

    redis_url: TSecretStrValue | None = None
    """A Redis that all machines reach, so that they keep to each quota together."""


@configspec
class SandboxSettings(BaseConfiguration):
    """The account that the sandbox serves."""

    seed: int = 7
    """Another seed is another account."""
    now: Annotated[str | None, A_TIME] = None
    """Freezes the sandbox's clock."""
    promotions: Annotated[int, at_least(0)] = 30
    """Promotions of the account."""
    event_series: Annotated[int, at_least(0)] = 8
    """Event series of the account."""
    quota: Annotated[str | None, A_QUOTA] = None
    """Windows that each API of the sandbox enforces with 429, and that syncs keep to."""
    quota_headers: bool = True
    """Whether responses say how many requests are left."""
    page_sizes: Annotated[str, one_of(PAGE_SIZES)] = "honoured"
    """What a `limit` does: it counts, is refused, gives ten rows, or ten after page one."""


def variable(source: str, field: str) -> str:
    """Return the environment variable of a source's setting."""
    return f"SOURCES__{source}__{field}".upper()


def resolve_api(spec: ApiSettings, source: str, explicit: dict[str, Any]) -> ApiSettings:
    """Resolve and validate an API's settings; raise `ConfigurationError` before any request."""
    settings = resolve(spec, ["sources", source], explicit)
    if settings.base_url == SANDBOX:
        return settings
    try:
        settings.base_url = normalized(settings.base_url)
    except ValueError as error:
        raise ConfigurationError(
            f"{variable(source, 'base_url')} must be the word {SANDBOX!r} or a URL that {error}."
        ) from None
    refuse_wrong_proxy(settings.base_url)
    if not settings.secret.strip():
        raise ConfigurationError(
            f"{variable(source, settings.secret_field)} is not set. Set it in the environment or "
            f"in .dlt/secrets.toml, or set {variable(source, 'base_url')}={SANDBOX}."
        )
    if wrong := _wrong(settings.secret):
        raise ConfigurationError(
            f"{variable(source, settings.secret_field)} {wrong}, which is not sent: an API would "
            "only answer that the credential is wrong. Set it again without that."
        )
    return settings


def _wrong(secret: str) -> str | None:
    """Return what is wrong with a credential, such as white space from copying it."""
    if secret != secret.strip():
        return "has white space or a line break around it"
    if secret[0] in QUOTES or secret[-1] in QUOTES:
        return "has quotes around it"
    if any(character.isspace() for character in secret):
        return "holds a space or a line break"
    if not (secret.isascii() and secret.isprintable()):
        return "holds an invisible character or one that no HTTP header can carry"
    return None
