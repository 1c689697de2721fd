"""The file `.env` in the working directory, read as `dagster dev` reads it."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from sync_assets.base.errors import ConfigurationError

NAME = ".env"


def read_env_file(folder: Path) -> Path | None:
    """Set the variables of a folder's `.env`, which replace those of the shell.

    Returns the file, or None if there is none. Raises `ConfigurationError` if it cannot be read.
    """
    file = folder / NAME
    if not file.is_file():
        return None
    try:
        values = dotenv_values(file)
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}. Give this user the right to read it."
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8. Save it as UTF-8.") from None
    os.environ.update({name: value for name, value in values.items() if value is not None})
    return file
