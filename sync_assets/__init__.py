"""Keep a warehouse in step with three SaaS APIs: dlt extracts and loads, Dagster orchestrates."""

import os
from pathlib import Path

_ROOT = Path(__file__).parent.parent

# A run starts where `dagster dev` does; configuration and warehouse stay with the project.
if not Path(".dlt").exists() and (_ROOT / ".dlt").exists():
    os.environ.setdefault("DLT_PROJECT_DIR", str(_ROOT))
    os.environ.setdefault("DLT_LOCAL_DIR", str(_ROOT))
