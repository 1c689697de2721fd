"""Headless Chromium in front of the UI; what it shows is kept as screenshots."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sync_assets_tests.support.services import unavailable

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Playwright, Route

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
WIDTH, HEIGHT = 1280, 800
PATIENCE = 60_000.0
BOXES = """svg => {
  const seen = box => {
    const at = box.getBoundingClientRect();
    return box.contains(document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2));
  };
  return [...svg.querySelectorAll('foreignObject')].map(box => ({
    group: box.classList.contains('group'), name: box.textContent, seen: seen(box),
    x: box.x.baseVal.value, y: box.y.baseVal.value,
    width: box.width.baseVal.value, height: box.height.baseVal.value }));
}"""
EDGES = "svg => [...svg.querySelectorAll('path[marker-end]')].map(path => path.getAttribute('d'))"


@dataclass
class Walk:
    """A walk through the UI: the page, where its pictures go, and what went wrong in it."""

    page: Page
    url: str
    folder: Path
    errors: list[str] = field(default_factory=list)

    @contextmanager
    def picture(self, name: str) -> Iterator[None]:
        """Keep a picture of where the block ends; a failure names its own."""
        try:
            yield
            assert not self.errors, self.errors
        except Exception as error:
            place = self.folder / f"{name}_failed.png"
            self.page.screenshot(path=place)
            message = f"{name}: at {self.page.url}, as {place} shows: {error}"
            raise AssertionError(message) from error
        self.page.screenshot(path=self.folder / f"{name}.png")

    def see(self, *texts: str | re.Pattern[str]) -> None:
        """Wait until each of these stands on the page."""
        for text in texts:
            self.page.get_by_text(text, exact=True).first.wait_for()

    def tab(self, name: str) -> None:
        """Go to a tab of an asset's page."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def figure(self, name: str) -> int:
        """The figure beside a name in a table of metadata."""
        label = self.page.get_by_text(name, exact=True)
        return int(self.page.locator("tr").filter(has=label).locator("td").nth(1).inner_text())

    def on_console(self, message: ConsoleMessage) -> None:
        """Keep the errors of the UI; that the outside cannot be reached is none."""
        if message.type == "error" and "net::ERR_FAILED" not in message.text:
            self.errors.append(message.text)

    def lineage(self) -> tuple[set[str], set[tuple[str, str]]]:
        """The assets in sight, as group/asset, and the arrows between them."""
        drawing = self.page.locator("svg:has(foreignObject)")
        boxes = drawing.evaluate(BOXES)
        groups = [box for box in boxes if box["group"]]
        assets = {
            f"{group['name']}/{box['name']}": box
            for box in boxes
            for group in groups
            if box["seen"] and not box["group"] and _holds(group, box["x"], box["y"])
        }
        arrows = set()
        for path in drawing.evaluate(EDGES):
            numbers = [float(number) for number in re.findall(r"[\d.]+", path)]
            ends = ((numbers[0] - 40, numbers[1]), (numbers[-2] + 40, numbers[-1]))
            start, end = ([key for key, box in assets.items() if _holds(box, *at)] for at in ends)
            arrows.add((", ".join(start), ", ".join(end)))
        return set(assets), arrows


def _holds(box: dict[str, Any], x: float, y: float) -> bool:
    inside = box["x"] <= x <= box["x"] + box["width"]
    return bool(inside and box["y"] <= y <= box["y"] + box["height"])


def find_browser() -> str:
    """The browser's program; skip without it or without what drives it."""
    if find_spec("playwright") is None:
        unavailable("playwright is not installed")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    return program or unavailable(f"none of {', '.join(NAMES)} is installed")


@contextmanager
def walking(program: str, url: str, folder: Path) -> Iterator[Walk]:
    """Open a browser that reaches this machine only; pictures go to SCREENSHOTS or the folder."""
    from playwright.sync_api import sync_playwright

    pictures = Path(os.environ.get("SCREENSHOTS") or folder)
    pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        walk = Walk(_page(playwright, program), url, pictures)
        walk.page.on("pageerror", lambda error: walk.errors.append(str(error)))
        walk.page.on("console", walk.on_console)
        yield walk
        browser = walk.page.context.browser
        assert browser is not None
        browser.close()


def _page(playwright: Playwright, program: str) -> Page:
    browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS.split())
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale="en-US", timezone_id="UTC"
    )
    context.set_default_timeout(PATIENCE)
    context.route("**/*", _stay_here)
    return context.new_page()


def _stay_here(route: Route) -> None:
    if urlsplit(route.request.url).hostname == "127.0.0.1":
        route.continue_()
    else:
        route.abort()
