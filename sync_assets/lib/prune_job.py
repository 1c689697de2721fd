"""The job that removes rows of parents that the API no longer lists; a dry run comes first."""

import dagster as dg

from sync_assets.base.errors import SyncError
from sync_assets.lib.keys import in_order, partition_key
from sync_assets.sources.rest.api import Api
from sync_assets.sources.rest.declaration.endpoints import Endpoint
from sync_assets.warehouse.prune import confirmation, prune


class PruneConfig(dg.Config):
    """The config of the job. A `dry_run` only reports what would be removed.

    `confirm` is the word that the log of the dry run ends with. It stands for what was found, so
    that nothing else is removed.
    """

    dry_run: bool = True
    confirm: str = ""


def build_prune_job(api: Api) -> dg.JobDefinition:
    """Build the job `<source>_prune`."""

    @dg.op(name=f"{api.name}_remove_orphans")
    def remove_orphans(context: dg.OpExecutionContext, config: PruneConfig) -> None:
        partitions = {
            parent.resource: set(context.instance.get_dynamic_partitions(parent.partitions))
            for parent in api.parents
        }

        def stays(endpoint: Endpoint, parent: str) -> bool:
            keys = partitions.get(str(endpoint.parent), set()) if endpoint.partitioned else set()
            return partition_key(parent) in keys

        try:
            found = prune(
                api,
                dry_run=config.dry_run,
                say=context.log.info,
                confirm=config.confirm,
                stays=stays,
            )
        except SyncError as error:
            raise dg.Failure(str(error)) from error
        again = f"run again with dry_run: false, confirm: {confirmation(found)}"
        done = f"would be removed; {again}" if config.dry_run else "removed"
        for resource, orphans in found.items():
            parents = ", ".join(in_order(orphans))
            context.log.info(f"{resource}: {sum(orphans.values())} rows of {parents} {done}")
        rows = sum(sum(orphans.values()) for orphans in found.values())
        context.log.info(f"{rows} rows of vanished parents {done if rows else 'found'}")

    @dg.job(
        name=f"{api.name}_prune",
        description=f"Removes rows of {api.name} whose parents vanished; begins with a dry run.",
    )
    def pruning() -> None:
        remove_orphans()

    return pruning
