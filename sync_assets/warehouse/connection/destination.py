"""The configured destination, and a dlt pipeline to reach it.

Each use has a scratch directory of its own: dlt keeps packages and state there, and two processes
that share one would load each other's rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.specs.base_configuration import is_hint_not_resolvable
from dlt.common.destination import AnyDestination, Destination
from dlt.common.destination.exceptions import DestinationException
from dlt.common.exceptions import MissingDependencyException

from sync_assets.base.errors import brief
from sync_assets.warehouse.connection.cancellation import Cancellation
from sync_assets.warehouse.connection.capabilities import refuse_incapable
from sync_assets.warehouse.connection.credentials import complete, given_credentials, place
from sync_assets.warehouse.connection.postgres import is_postgres
from sync_assets.warehouse.connection.scratch import scratch
from sync_assets.warehouse.connection.staging import new_name
from sync_assets.warehouse.errors import WarehouseError

NAME = "warehouse"
DEFAULT_TYPE, DEFAULT_CREDENTIALS = "duckdb", "warehouse.duckdb"
VARIABLES = "DESTINATION__WAREHOUSE__DESTINATION_TYPE and DESTINATION__WAREHOUSE__CREDENTIALS"


@contextmanager
def open_pipeline(source: str, dataset: str) -> Iterator[dlt.Pipeline]:
    """Open a pipeline whose scratch directory is removed afterwards."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch())
            pipeline = dlt.pipeline(
                source,
                pipelines_dir=str(folder),
                destination=reachable_destination(),
                dataset_name=dataset,
            )
        except OSError as error:
            raise WarehouseError(
                f"Scratch files cannot be written: {error}. Make room or set TMPDIR."
            ) from None
        _resolve_once(pipeline)
        pipeline.config.restore_from_destination = False
        pipeline.config.runtime.intercept_signals = False  # dlt drops one that meets a load (1.31)
        Cancellation(pipeline.destination)
        try:
            yield pipeline
        finally:
            if pipeline.is_active:  # a second one that was opened meanwhile is, until it closes
                pipeline.deactivate()


def _resolve_once(pipeline: dlt.Pipeline) -> None:
    """Resolve the destination's configuration and pass all of it to dlt as explicit values.

    dlt would resolve it again for each client and for each use of the capabilities: 25 times in a
    sync, with a thousand look-ups in its providers.
    """
    try:
        config = pipeline.destination_client().config
    except MissingDependencyException as error:
        packages = " ".join(map(str, error.dependencies))
        raise WarehouseError(
            f"A {configured_kind()} warehouse needs a driver that is not installed: {packages}."
        ) from None
    except ConfigurationException as error:
        raise WarehouseError(f"{VARIABLES} do not fit: {brief(error)}") from None
    pipeline.destination.config_params.update(
        {
            name: getattr(config, name)
            for name, hint in config.get_resolvable_fields().items()
            if not is_hint_not_resolvable(hint)  # such as the dataset, which the pipeline sets
        }
    )


def whereabouts(pipeline: dlt.Pipeline) -> str:
    """Return where rows go, without secrets: the kind of warehouse and its file or database."""
    if database := database_file(pipeline):
        return f"duckdb {database}"
    configuration: Any = pipeline.destination_client().config
    return place(configured_kind(), configuration.credentials)


def database_file(pipeline: dlt.Pipeline) -> Path | None:
    """Return the DuckDB file that the pipeline loads into; None for a server."""
    if not is_duckdb(pipeline.destination):
        return None
    return Path(str(pipeline.destination_client().config.data_location())).resolve()


def is_duckdb(destination: AnyDestination) -> bool:
    """Whether a destination is an embedded DuckDB file."""
    return destination.destination_type == "dlt.destinations.duckdb"


def is_embedded() -> bool:
    """Whether the warehouse is a file, by its type alone; reads no secret.

    A DuckLake counts as one, because its catalog is a file by default.
    """
    return configured_kind().rpartition(".")[2] in (DEFAULT_TYPE, "ducklake")


def configured_kind() -> str:
    """Return the configured type of the destination."""
    return str(dlt.config.get(f"destination.{NAME}.destination_type") or DEFAULT_TYPE)


def reachable_destination() -> AnyDestination:
    """Return the destination with its credentials; raise `WarehouseError` if these are wrong."""
    kind = configured_kind()
    if kind == DEFAULT_TYPE:
        return configured_destination(given_credentials(kind))
    configured_destination()  # a kind that cannot do it is refused before its credentials
    given: Any = given_credentials(kind)
    credentials = complete(kind, configured_destination(given))
    return configured_destination(credentials or given)


def configured_destination(credentials: Any = None) -> AnyDestination:
    """Return the destination; raise `WarehouseError` if there is none or it is not capable."""
    kind = configured_kind()
    if kind == DEFAULT_TYPE and dlt.secrets.get(f"destination.{NAME}.credentials") is None:
        credentials = DEFAULT_CREDENTIALS  # dlt reads credentials from no committed file
    try:
        destination = cast(
            "AnyDestination",
            Destination.from_reference(kind, credentials=credentials, destination_name=NAME),
        )
    except (ConfigurationException, DestinationException):
        raise WarehouseError(f"dlt knows no destination {kind!r}; set {VARIABLES}.") from None
    refuse_incapable(kind, destination)
    # dlt truncates a table before it is filled anew otherwise
    destination.config_params["replace_strategy"] = "insert-from-staging"
    destination.config_params["staging_dataset_name_layout"] = new_name()
    destination.caps_params.update(
        supports_transactions=True,  # dlt commits DELETE and INSERT apart otherwise
        supports_truncate_command=False,  # it commits, or shows a reader's transaction no rows
    )
    if is_duckdb(destination):
        destination.caps_params.update(preferred_loader_file_format="parquet")
    if is_postgres(destination):
        destination.caps_params.update(
            loader_file_format_selector=None,
            preferred_loader_file_format="insert_values",
            supported_loader_file_formats=["insert_values"],  # dlt's CSV makes NULL of empty text
        )
    return destination
