"""What is broken in a built site: links that lead nowhere in it, and what it would fetch from the network."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes that make a browser fetch something, against those that only lead somewhere when followed.
FETCHED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("link", "href")}
FOLLOWED = {("a", "href")}


class _Page(HTMLParser):
    """The ids of a page and its links, with whether the browser fetches them by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        for name, value in attributes:
            if name == "id" and value:
                self.ids.add(value)
            if (tag, name) in FETCHED | FOLLOWED and value:
                self.links.append((value, (tag, name) in FETCHED))


def broken_links(site: Path) -> list[str]:
    """Everything in a site that does not lead anywhere within it, as `page: link`; links to follow outside may."""
    files = [path.resolve() for path in sorted(site.rglob("*.html"))]
    static = site.resolve() / "_static"  # its *.html are the theme's templates, not pages
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in files if static not in path.parents}
    found = []
    for path, page in pages.items():
        for link, fetched in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                if fetched:
                    found.append(f"{path.name}: fetches {link}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                found.append(f"{path.name}: {link} is not there")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                found.append(f"{path.name}: {link} has no such place in it")
    for style in sorted(site.rglob("*.css")):
        for link in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", style.read_text(encoding="utf-8")):
            outside = urlsplit(link).scheme or urlsplit(link).netloc
            if not link.startswith("data:") and (outside or not (style.parent / urlsplit(link).path).is_file()):
                found.append(f"{style.name}: {link} is not there")
    return found
