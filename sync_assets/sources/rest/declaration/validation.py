"""Checks the declaration of an API: each key is honoured, or refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from dlt.sources.helpers.rest_client.auth import AuthConfigBase, OAuth2ClientCredentials
from dlt.sources.helpers.rest_client.paginators import BasePaginator

from sync_assets.base.errors import ConfigurationError
from sync_assets.sources.rest.declaration.keys import GUARDS, SECTIONS
from sync_assets.sources.rest.records.columns import TColumns
from sync_assets.sources.rest.records.names import RESERVED, column_name, table_name
from sync_assets.sources.rest.records.values import ARROW

LONGEST = 63
TEMPLATE = re.compile(r"\{(resources|incremental)\.")


class Place:
    """A part of a declaration as messages name it: the API, or one of its resources."""

    def __init__(self, api: str, resource: str | None = None) -> None:
        self.name = f"{api}, resource {resource}" if resource else api

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise the `ConfigurationError` that names what is wrong and the remedy."""
        raise ConfigurationError(f"{self.name}: `{key}` {why}.")

    def keys(self, section: str, given: Any, prefix: str = "") -> dict[str, Any]:
        """Return the given keys without those that are None; refuse what would not be honoured."""
        if not isinstance(given, Mapping):
            self.refuse(prefix.rstrip(".") or section, f"must be a dict, not {given!r}")
        known = SECTIONS[section]
        for key, value in given.items():
            if key in known.refused and value is not None:
                self.refuse(f"{prefix}{key}", f"is not done here: {known.refused[key]}")
            if key not in known.honoured and key not in known.refused:
                names = ", ".join(known.honoured)
                self.refuse(f"{prefix}{key}", f"is unknown; what can stand there: {names}")
        return {key: value for key, value in given.items() if value is not None}

    def only(self, key: str, value: Any, allowed: Sequence[Any], why: str) -> None:
        """Refuse a value that is not one of those allowed."""
        if value not in allowed:
            self.refuse(key, f"must be {' or '.join(map(repr, allowed))}, not {value!r}: {why}")

    def headers(self, key: str, given: Mapping[str, Any]) -> dict[str, str]:
        """Return the headers; refuse values that are not text or hold templates."""
        for name, value in given.items():
            if not isinstance(value, str) or TEMPLATE.search(value):
                self.refuse(f"{key}.{name}", f"must be text without a template, not {value!r}")
        return dict(given)


def check_client(place: Place, client: Mapping[str, Any], base_url: str) -> None:
    """Refuse keys of the client that would not be honoured."""
    given = place.keys("client", client, "client.")
    if given.get("base_url") != base_url:
        place.refuse(
            "client.base_url",
            f"must be the one that config() is given, not {given.get('base_url')!r}: it comes from "
            "SOURCES__<SOURCE>__BASE_URL",
        )
    place.headers("client.headers", given.get("headers", {}))
    auth = given.get("auth")
    if isinstance(auth, dict):
        kind = f"auth {auth.get('type', 'bearer')}"
        if kind not in SECTIONS:
            place.refuse("client.auth.type", f"must be bearer, api_key or http_basic, not {kind}")
        place.keys(kind, auth, "client.auth.")
    elif isinstance(auth, OAuth2ClientCredentials):
        place.keys("auth oauth2_client_credentials", {"type": ""}, "client.auth.")
    elif auth is not None and not isinstance(auth, AuthConfigBase):
        place.refuse("client.auth", f"must be a dict with the credential, not {auth!r}")


def check_paginator(place: Place, paginator: Any) -> BasePaginator:
    """Refuse dlt's own paginators: they take a missing next page for the end of the list."""
    if not isinstance(paginator, BasePaginator):
        place.refuse("endpoint.paginator", f"cannot be {paginator!r}: {GUARDS}")
    if type(paginator).__module__.startswith("dlt."):
        place.refuse("endpoint.paginator", f"cannot be {type(paginator).__name__}: {GUARDS}")
    return paginator


def check_names(place: Place, resources: Sequence[Any]) -> list[str]:
    """Return the resources by table name; refuse names that are not allowed or used twice."""
    tables: dict[str, str] = {}
    for resource in resources:
        if not isinstance(resource, Mapping) or not isinstance(resource.get("name"), str):
            place.refuse("resources", f"must hold dicts with a name and columns, not {resource!r}")
        name, table = resource["name"], table_name(resource["name"])
        if table.startswith("_") or not re.search("[a-z]", table) or len(table) > LONGEST:
            place.refuse(f"resources.{name}", "cannot name a table; choose letters and digits")
        if table in tables:
            place.refuse(f"resources.{name}", f"and {tables[table]} would be one table, {table}")
        tables[table] = name
    return list(tables)


def check_columns(place: Place, given: Any) -> TColumns:
    """Return the columns by field, with the names that they have in the warehouse."""
    found: dict[str, Any] = {}
    taken: dict[str, str] = {}
    if not isinstance(given, Mapping):
        place.refuse("columns", f"must be a dict by field, as columns() makes, not {given!r}")
    for field, column in given.items():
        key = f"columns.{field}"
        hints = place.keys("column", column, f"{key}.")
        place.only(
            f"{key}.name", hints.get("name", field), [field], "a column is named by its field"
        )
        place.only(f"{key}.data_type", hints.get("data_type"), list(ARROW), "values stay as sent")
        name = column_name(field)
        readable = re.search("[A-Za-z0-9]", field) and not RESERVED.fullmatch(name)
        if not readable or len(name) > LONGEST:
            place.refuse(
                key, "cannot be a column; leave it out: undeclared fields are kept as text"
            )
        if name in taken:
            place.refuse(
                key, f"and {taken[name]} would be one column, {name}; leave one of them out"
            )
        taken[name] = field
        found[field] = {"nullable": True, **hints, "name": name}
    return found
