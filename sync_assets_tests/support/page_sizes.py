"""A list of an account that takes page sizes in some manner, and the syncs of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync_assets.sandbox import Account, Manners, Sandbox, Scale
from sync_assets.sources.rest.list_key import ListKey
from sync_assets.sources.rest.list_result import ListResult
from sync_assets.warehouse.queries import state
from sync_assets.warehouse.state.list_history import ListHistory
from sync_assets.warehouse.sync import Request, sync
from sync_assets_tests.support.dagster_world import environment
from sync_assets_tests.support.observers import Hearing
from sync_assets_tests.support.world import APIS

#: A list of each way of paging: by a cursor in the body, by page numbers, by the last record.
LISTS = {"promotions": "promotions", "affiliates": "referrals", "events": "orders"}


class Played:
    """An account of the sandbox, and what syncs of one of its lists say and ask."""

    def __init__(
        self, account: Account, sandbox: Sandbox, source: str, patch: pytest.MonkeyPatch
    ) -> None:
        self.account, self.sandbox, self.source, self.patch = account, sandbox, source, patch
        self.said: list[str] = []
        self.found = ListResult(LISTS[source])

    def sync(self) -> int:
        """Sync the list, which comes whole; gives the requests that it took."""
        before, self.said = self.sandbox.requests, []
        api, resource = APIS[self.source], LISTS[self.source]
        result = sync(Request(api, [resource]), Hearing(self._hear))
        self.found = result.listings[ListKey(resource)]
        assert (self.found.error, self.found.duplicates) == (None, 0)
        assert self.found.rows == len(self.account.rows(self.source, resource))
        return self.sandbox.requests - before

    def _hear(self, line: str) -> None:
        if not line.startswith("swept scratch folders"):  # of tests before this one
            self.said.append(line)

    def configure(self, **settings: object) -> None:
        """Set `SOURCES__<SOURCE>__*` in the environment."""
        for name, value in settings.items():
            self.patch.setenv(f"SOURCES__{self.source}__{name}".upper(), str(value))

    def history(self) -> ListHistory:
        """What the warehouse knows of the list."""
        return state(APIS[self.source]).histories[ListKey(LISTS[self.source])]


@contextmanager
def played(source: str, manner: str, folder: Path, rows: int) -> Iterator[Played]:
    """An account of so many rows that takes page sizes in some manner; a warehouse for it."""
    account = Account(scale=Scale(promotions=rows, referrals=rows, orders=rows, exact=True))
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(account, manners=Manners(page_sizes=manner)) as sandbox,
    ):
        for name, value in environment(sandbox, folder / "warehouse.duckdb").items():
            patch.setenv(name, value)
        made = Played(account, sandbox, source, patch)
        made.configure(PAGE_SIZE=100)
        yield made
