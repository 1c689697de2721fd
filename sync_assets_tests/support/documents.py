"""The documents whose claims the tests hold."""

from __future__ import annotations

from sync_assets_tests.support.project import ROOT

README = (ROOT / "README.md").read_text()
DOCS = {path.stem: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
EVERYTHING = "\n".join([README, *DOCS.values()])
