"""Keep a warehouse in step with three SaaS APIs: dlt extracts and loads, Dagster orchestrates."""

import os
import sys
from pathlib import Path

if sys.platform == "win32":  # before a module that Windows does not have is imported
    sys.exit("sync_assets runs on Linux and macOS. On Windows, run it in WSL: https://aka.ms/wsl")

_ROOT = Path(__file__).parent.parent

# A run starts where `dagster dev` does; configuration and warehouse stay with the project.
if not Path(".dlt").exists() and (_ROOT / ".dlt").exists():
    os.environ.setdefault("DLT_PROJECT_DIR", str(_ROOT))
    os.environ.setdefault("DLT_LOCAL_DIR", str(_ROOT))
