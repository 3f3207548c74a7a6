"""A reader of the static edition: files in a browser, with no kernel and no network."""

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, Route

from crn_lib.workbook.site.stage import MOVED

# All folds open, to their last shade of grey; without equations, each of hundreds of elements that axe would walk over.
READY_FOR_AXE = """async () => {
  for (const equation of document.querySelectorAll('.math')) equation.remove();
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  await Promise.all(document.getAnimations().map(animation => animation.finished));
}"""


@dataclass
class Reader:
    """A page of the site in a browser, and what it asked the network for and complained of."""

    page: Page
    site: Path
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.route("**/*", self._only_files)
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _only_files(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            self.asked.append(route.request.url)
            route.abort()

    def open(self, name: str) -> Page:
        """Open a page of the site, and see all its figures drawn."""
        self.page.goto((self.site / name).as_uri())
        figures = self.page.locator("figure.stored-figure")
        for number in range(figures.count()):
            figures.nth(number).scroll_into_view_if_needed()
            figures.nth(number).and_(self.page.locator("[data-state=drawn]")).wait_for()
        return self.page


def lesson_pages(site: Path) -> list[str]:
    return sorted(path.name for path in site.glob("[0-9]*.html") if path.stem not in MOVED)
