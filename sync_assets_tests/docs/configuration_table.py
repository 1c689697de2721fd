"""The tables of docs/configuration.md: `python -m sync_assets_tests.docs.configuration_table`.

They are read from the settings classes: the docstring below each field says what it means, its
type and bounds what it must be.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from itertools import pairwise
from typing import Any

from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import extract_inner_type

from sync_assets.base.config import KINDS, Must
from sync_assets.lib.alerts.channels import AlertSettings
from sync_assets.lib.reports.assets import ReportSettings
from sync_assets.lib.retention.job import RetentionSettings
from sync_assets.planning.settings import AutomationSettings
from sync_assets.sources import apis
from sync_assets.sources.rest.http.windows import written
from sync_assets.sources.rest.settings import ApiSettings, SandboxSettings, SharedQuotaSettings
from sync_assets.warehouse.machines import ExecutionSettings

SECTIONS: dict[str, type[BaseConfiguration]] = {
    "SOURCES__<SOURCE>": ApiSettings,
    "QUOTA": SharedQuotaSettings,
    "AUTOMATION": AutomationSettings,
    "EXECUTION": ExecutionSettings,
    "ALERTS": AlertSettings,
    "RETENTION": RetentionSettings,
    "REPORTS": ReportSettings,
    "SANDBOX": SandboxSettings,
}
APIS = [apis()[name] for name in ("promotions", "affiliates", "events")]
#: Defaults that are not written beside their field.
DEFAULTS = {
    "base_url": "`sandbox`, in `.dlt/config.toml`",
    "page_size": ", ".join(
        f"{api.page_size} for {api.name}" for api in APIS if api.page_size is not None
    ),
    "quota": f"{', '.join(f'`{written(api.windows)}`' for api in APIS)}; none in the sandbox",
    "rate_window": ", ".join({f"{api.rate_window:g}" for api in APIS}),
    "dataset": "the source's name",
    "now": "the clock",
}
BOUNDS = {
    "base_url": "a URL, or `sandbox`",
    "urls": "URLs",
    "redis_url": "a `redis://` or `rediss://` URL",
}


def tables() -> dict[str, str]:
    """The table of each section."""
    return {section: _table(section, spec) for section, spec in SECTIONS.items()}


def _table(section: str, spec: type[BaseConfiguration]) -> str:
    rows = ["| variable | default | must be | |", "|---|---|---|---|"]
    told = described(spec)
    for name, hint in spec.get_resolvable_fields().items():
        default = DEFAULTS.get(name, _shown(getattr(spec, name)))
        must_be = BOUNDS.get(name, _must_be(hint)).replace("|", r"\|")
        rows.append(f"| `{section}__{name.upper()}` | {default} | {must_be} | {told[name]} |")
    return "\n".join(rows)


def described(spec: type[BaseConfiguration]) -> dict[str, str]:
    """What the docstring below each field of a class says."""
    (of_class,) = ast.parse(textwrap.dedent(inspect.getsource(spec))).body
    assert isinstance(of_class, ast.ClassDef)
    body = of_class.body
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _shown(default: Any) -> str:
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return f"`{default}`" if isinstance(default, str) else f"{default:g}"


def _must_be(hint: Any) -> str:
    rules = [rule.be for rule in getattr(hint, "__metadata__", ()) if isinstance(rule, Must)]
    kind = extract_inner_type(hint)
    return ", ".join(([] if kind is str and rules else [KINDS[kind]]) + rules)


if __name__ == "__main__":
    for section, table in tables().items():
        sys.stdout.write(f"{section}\n\n{table}\n\n")
