"""The warehouse's credentials as configured; messages never quote them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs import BaseConfiguration, ConnectionStringCredentials
from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.common.destination import AnyDestination
from dlt.common.typing import is_optional_type

from sync_assets.base.secrets import conceal, conceal_url
from sync_assets.base.toml_files import refuse_unreadable_files
from sync_assets.warehouse.errors import WarehouseError

VARIABLE = "DESTINATION__WAREHOUSE__CREDENTIALS"
FORM = "postgresql://user:password@host:5432/database"
SECRET = re.compile(r"passw|pwd|token|secret|key|passphrase|credential", re.IGNORECASE)
POSTGRES = re.compile(r"postgres(?:ql)?(?:\+\w+)?(?=://)")
NO_FILES = (":memory:", ":external:", ":pipeline:")


def given_credentials(kind: str) -> str | None:
    """Return the credentials as text; None if they are configured in parts.

    Raises `WarehouseError` if the text cannot be right for the destination.
    """
    refuse_unreadable_files()
    for name, held in os.environ.items():
        if name.startswith("DESTINATION__") and SECRET.search(name.rpartition("__")[2]):
            conceal_url(held)
            if not name.endswith("__CREDENTIALS"):
                conceal(held)
    value: Any = dlt.secrets.get("destination.warehouse.credentials")
    _conceal_inside(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if not text:
        raise WarehouseError(f"{VARIABLE} is empty. Set it, or unset it.")
    return _file(text) if kind == "duckdb" else _url(kind, text)


def complete(kind: str, destination: AnyDestination) -> Any:
    """Return the credentials that dlt makes of its configuration; the password may be missing.

    Postgres may trust the user, find the password in a file, or know the user of a socket.
    """
    try:
        found: Any = destination.configuration(destination.spec(), accept_partial=True)
    except ConfigurationException:
        raise WarehouseError(
            f"{VARIABLE} cannot be read as credentials of {kind}: see dlt's page on it."
        ) from None
    credentials: Any = found.credentials
    if not isinstance(found.credentials, BaseConfiguration):
        return None
    hints = credentials.get_resolvable_fields()
    for name, hint in hints.items():
        if is_secret_hint(hint):
            conceal(getattr(credentials, name))
    if credentials.is_resolved():
        return None
    needed = [name for name, hint in hints.items() if not is_optional_type(hint)]
    lacking = [name for name in needed if getattr(credentials, name) is None]
    if kind == "postgres":
        if credentials.host is None and (credentials.query or {}).get("host"):
            credentials.host = "localhost"  # dlt wants one; libpq goes where the query says
        lacking = [name for name in ("host", "database") if getattr(credentials, name) is None]
    if lacking:
        names = ", ".join(f"{VARIABLE}__{name}".upper() for name in lacking)
        form = f", or {VARIABLE} to a URL such as {FORM}" if kind == "postgres" else ""
        raise WarehouseError(f"Not set: {names}. Set what is missing{form}.")
    credentials.resolve()
    return credentials


def place(kind: str, credentials: Any) -> str:
    """Return the warehouse in a few words without secrets: its kind, server and database."""
    if not isinstance(credentials, ConnectionStringCredentials):
        return kind
    host = (credentials.query or {}).get("host") or credentials.host or ""
    port = f":{credentials.port}" if host and credentials.port else ""
    database = f"/{credentials.database}" if host else credentials.database or ""
    return f"{kind} {host}{port}{database}".strip()


def _file(text: str) -> str:
    path = text.removeprefix("duckdb:///").partition("?")[0]
    if path.lower() in NO_FILES:
        raise WarehouseError(
            f"{VARIABLE} names {path}, a warehouse that is gone when its process ends and that no "
            "other process can read. Set it to the path of a file, warehouse.duckdb for instance."
        )
    if path.startswith(("md:", "motherduck:")):
        raise WarehouseError(
            f"{VARIABLE} names MotherDuck. Set DESTINATION__WAREHOUSE__DESTINATION_TYPE=motherduck."
        )
    if re.match(r"[a-z][a-z0-9+]*:/{1,2}", text) and not text.startswith("duckdb:///"):
        raise WarehouseError(
            f"{VARIABLE} is a URL, and the warehouse a DuckDB file. Set it to a path, or "
            "DESTINATION__WAREHOUSE__DESTINATION_TYPE to what the URL belongs to."
        )
    return text.replace(path, str(Path(path).expanduser()), 1) if path.startswith("~") else text


def _url(kind: str, text: str) -> str:
    if "://" not in text:
        if kind == "postgres":
            raise WarehouseError(f"{VARIABLE} must be a URL such as {FORM}.")
        return text
    conceal_url(text)
    if kind == "postgres":
        if not POSTGRES.match(text):
            raise WarehouseError(f"{VARIABLE} must be a URL such as {FORM}, by its first word.")
        text = POSTGRES.sub("postgresql", text, count=1)
    from sqlalchemy.engine import make_url  # half a second, which a file need not wait for
    from sqlalchemy.exc import SQLAlchemyError

    try:
        url = make_url(text)
    except (SQLAlchemyError, ValueError):  # ValueError: a port that is none
        url = None
    if url is None or "@" in f"{url.host}{url.database}" or re.search(r"[\s/?#]", url.host or ""):
        raise WarehouseError(
            f"{VARIABLE} is not a URL such as {FORM}. What is not a letter or digit in its user "
            "and password is %-encoded: @ as %40, / as %2F, : as %3A, # as %23."
        )
    conceal(url.password)
    return text


def _conceal_inside(value: Any, name: str = "") -> None:
    """Conceal what a value holds under the name of a secret: text, JSON or a section."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _conceal_inside(inner, str(key))
    elif isinstance(value, str):
        if SECRET.search(name):
            conceal(value)
        conceal_url(value)
        if value.lstrip().startswith("{"):
            _conceal_inside(_json(value))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # not even that: star what stands in quotes
        return {"secret": "\n".join(re.findall(r'"([^"]+)"', text))}
