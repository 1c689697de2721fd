"""`python -m sync_assets`, the same as `sync-assets`."""

import sys

from sync_assets.cli import main

if __name__ == "__main__":
    sys.exit(main())
