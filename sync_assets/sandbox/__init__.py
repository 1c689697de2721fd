"""The three APIs as a local HTTP server, with synthetic accounts that change with time.

    with Sandbox(Account(seed=7)) as sandbox:
        requests.get(sandbox.base_url("events") + "/orders", auth=(SECRETS["events"], ""))

Alone: python -m sync_assets.sandbox
"""

from sync_assets.sandbox.account import Account
from sync_assets.sandbox.manners import Manners
from sync_assets.sandbox.scale import Scale
from sync_assets.sandbox.server import Sandbox
from sync_assets.sandbox.wire import SECRETS

__all__ = ["SECRETS", "Account", "Manners", "Sandbox", "Scale"]
