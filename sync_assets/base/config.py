"""Settings from dlt's configuration, with a type and bounds for each.

A value that is missing, unreadable or out of bounds raises a `ConfigurationError` that names its
variable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, TypeVar

import dlt
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.common.typing import extract_inner_type, is_optional_type

from sync_assets.base.errors import ConfigurationError
from sync_assets.base.secrets import conceal
from sync_assets.base.toml_files import refuse_unreadable_files

SWITCH = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
TSettings = TypeVar("TSettings", bound=BaseConfiguration)


@dataclass(frozen=True)
class Must:
    """A rule for a value: `be` completes "... must be", and `holds` tests the value."""

    be: str
    holds: Callable[[Any], bool]


def at_least(least: float, most: float = inf) -> Must:
    """Return the rule that a number is finite and lies between two bounds, both included."""
    limit = f"at least {least}" if most == inf else f"from {least} to {most}"
    return Must(limit, lambda value: least <= value <= most and value < inf)


def above(bound: float, most: float = inf) -> Must:
    """Return the rule that a number is finite, above a bound, and at most another."""
    limit = f"above {bound}" + ("" if most == inf else f", at most {most}")
    return Must(limit, lambda value: bound < value <= most and value < inf)


def one_of(words: Sequence[str]) -> Must:
    """Return the rule that a value is one of some words."""
    return Must(f"one of {', '.join(words)}", lambda value: value in words)


def resolve(spec: TSettings, sections: list[str], explicit: dict[str, Any]) -> TSettings:
    """Fill a spec from dlt's configuration.

    Values in `explicit` come first. Each field is looked up under its full name only: dlt itself
    would also take the bare `API_KEY` of another tool. Raises `ConfigurationError`, which names
    the variable, if a value is missing or wrong.
    """
    refuse_unreadable_files()
    for name, hint in spec.get_resolvable_fields().items():
        path = [*sections, name]
        value = explicit.get(name)
        if value is None:
            value = dlt.config.get(".".join(path))
        if value is not None:
            setattr(spec, name, _checked("__".join(path).upper(), value, hint))
        elif getattr(spec, name) is None and not is_optional_type(hint):
            raise ConfigurationError(
                f"{'__'.join(path).upper()} is not set. Set it in the environment or in "
                '.dlt/config.toml (`base_url = "sandbox"` needs no account).'
            )
    return spec


def _checked(variable: str, value: Any, hint: Any) -> Any:
    """Return a value as its field's type; raise `ConfigurationError` if it breaks a rule."""
    kind = extract_inner_type(hint)
    secret = is_secret_hint(hint)
    if secret:
        conceal(value)
    rules = [rule for rule in getattr(hint, "__metadata__", ()) if isinstance(rule, Must)]
    try:
        parsed = _parsed(value, kind)
    except (ValueError, OverflowError):
        bounds = "".join(f", {rule.be}" for rule in rules)
        raise _refusal(variable, KINDS[kind] + bounds, value, secret=secret) from None
    for rule in rules:
        if not rule.holds(parsed):
            raise _refusal(variable, rule.be, value, secret=secret)
    return parsed


def _refusal(variable: str, must_be: str, value: Any, *, secret: bool) -> ConfigurationError:
    shown = "" if secret else f", not {str(value)[:100]!r}"
    return ConfigurationError(f"{variable} must be {must_be}{shown}.")


def _parsed(value: Any, kind: type[Any]) -> Any:
    """Convert a value of the environment or of a TOML file; raise `ValueError` if it cannot be."""
    if isinstance(value, dict | list) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(kind)
    if kind is str:
        return str(value)
    text = str(value).strip().lower()
    if kind is bool:
        if text not in SWITCH:
            raise ValueError(text)
        return SWITCH[text]
    return kind(text)
