"""Checks that dlt can read its configuration files, and names the line that it cannot."""

from __future__ import annotations

import re
from pathlib import Path

import tomlkit
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers.toml import (
    CONFIG_TOML,
    SECRETS_TOML,
    TomlProviderReadException,
)
from dlt.common.configuration.specs import PluggableRunContext
from dlt.common.runtime.run_context import RunContext
from tomlkit.exceptions import ParseError, TOMLKitError

from sync_assets.base.errors import ConfigurationError
from sync_assets.base.secrets import redacted

BOM = "\ufeff"


def refuse_unreadable_files() -> None:
    """Raise `ConfigurationError` if dlt cannot read config.toml or secrets.toml.

    dlt reads them once, when its context is first used.
    """
    try:
        Container()[PluggableRunContext]
    except TomlProviderReadException as error:
        context = RunContext(None)
        folders = [Path(context.settings_dir), Path(context.global_dir)]
        files = [folder / name for folder in folders for name in (SECRETS_TOML, CONFIG_TOML)]
        slips = [slip for file in files if (slip := _slip(file))]
        raise ConfigurationError("; ".join(slips) or redacted(str(error))) from None


def _slip(path: Path) -> str | None:
    """Return what is wrong with a file, without quoting it, because it may hold secrets."""
    where = path.resolve()
    try:
        text = path.read_bytes().decode()
        tomlkit.parse(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{where} cannot be read: {error.strerror}. Give this user the right to read it."
    except UnicodeDecodeError as error:
        return f"{where} is not UTF-8 from byte {error.start} on. Save it as UTF-8."
    except ParseError as error:
        if text.startswith(BOM):
            return f"{where} begins with a byte order mark. Save it as UTF-8 without one."
        what = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
        return (
            f"{where} is not TOML at line {error.line}, column {error.col}: {what}. A text stands "
            'in quotes, as in base_url = "https://...", and a section in brackets.'
        )
    except TOMLKitError as error:
        return f"{where} is not TOML: {type(error).__name__}"
    return None
