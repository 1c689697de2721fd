"""The documented way from a laptop to a cluster: its lines, at the ports that a test has."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sync_assets_tests.support.dev import free_port
from sync_assets_tests.support.documents import DOCS

SECTION = DOCS["deployment"].split("## From a laptop to a cluster")[1].split("\n## ")[0]
#: What is typed once, and what is started, each in a shell of its own.
SET_UP, STARTED = re.findall(r"^```bash\n(.+?)^```$", SECTION, re.M | re.S)[:2]
NAMES = ("code", "daemon", "webserver", "worker")
#: The first command of each kind.
COMMANDS = dict(zip(NAMES, STARTED.splitlines(), strict=False))


@dataclass(frozen=True)
class Ports:
    """Where a test has what the page has at the usual ports; its Postgres trusts everybody."""

    postgres: int
    redis: int
    code: int = field(default_factory=free_port)
    web: int = field(default_factory=free_port)

    def there(self, text: str) -> str:
        """A text of the section with these ports."""
        moved = {
            "me:secret@127.0.0.1:5432": f"postgres:x@127.0.0.1:{self.postgres}",
            "127.0.0.1:6379": f"127.0.0.1:{self.redis}",
            "=4000": f"={self.code}",
            "-p 4000": f"-p {self.code}",
            "-p 3000": f"-p {self.web}",
        }
        for told, found in moved.items():
            text = text.replace(told, found)
        return text

    def exports(self) -> dict[str, str]:
        """The variables that the section exports."""
        return dict(re.findall(r"^export (\w+)=(.*)$", self.there(SET_UP), re.M))
