"""Build the static edition of the workbook: `python docs/build.py notebooks build/site`, which is what `make site` does.

The lessons are taken as they are stored; nothing is executed. A warning of Sphinx, a link that leads nowhere or a page
that would fetch something from the network fails the build.
"""

import importlib.resources
import re
import shutil
import sys
from pathlib import Path

import nbformat
import plotly
from links import broken_links
from pages import make_page
from sphinx.cmd.build import main as sphinx

from crn_lib.course.runner import find_lessons

HERE = Path(__file__).resolve().parent
LIST_HERE = "<!-- build.py lists the lessons here -->"
# One file each, shared by all pages, from the packages that pip installed.
SCRIPTS = (
    Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
    Path(str(importlib.resources.files("sphinx-mathjax-offline"))) / "static" / "mathjax" / "tex-svg.js",
)


def stage(lessons: list[Path], source: Path) -> None:
    """Write what Sphinx builds from into the folder `source`: this folder, the lessons' pages, and the scripts."""
    shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("__pycache__"))
    pictures = source / "static" / "pictures"
    pictures.mkdir()
    for script in SCRIPTS:
        shutil.copy(script, source / "static")
    for lesson in lessons:
        nbformat.write(make_page(lesson, pictures), source / lesson.name)
    index = source / "index.md"
    index.write_text(index.read_text(encoding="utf-8").replace(LIST_HERE, list_lessons(lessons)), encoding="utf-8")


def list_lessons(lessons: list[Path]) -> str:
    """Each lesson's title, minutes and "After this lesson you can", from its first cell, in Markdown."""
    parts = []
    for lesson in lessons:
        opening = nbformat.read(lesson, as_version=4).cells[0].source
        title = re.search(r"^# (.+)$", opening, re.MULTILINE)
        can = re.search(r"\*\*After this lesson you can\*\*\s+(.+?)\n\n\*\*Minutes\*\* (\d+)", opening, re.DOTALL)
        if title is None or can is None:
            raise ValueError(f"{lesson.name}: its first cell has no title, or not what the reader can do after it")
        parts.append(f"**[{title[1]}]({lesson.name})** · {can[2]} minutes. After it you can\n\n{can[1]}")
    return "\n\n".join(parts)


def build(notebooks: Path, site: Path) -> list[str]:
    """Build the site afresh, and return what is wrong with it; nothing where all is well."""
    source, doctrees = site.with_name(f"{site.name}-source"), site.with_name(f"{site.name}-doctrees")
    for folder in (site, source, doctrees):
        shutil.rmtree(folder, ignore_errors=True)
    lessons = find_lessons(notebooks)
    if not lessons:
        return [f"there are no lessons in {notebooks}"]
    stage(lessons, source)
    if sphinx(["-q", "-W", "--keep-going", "-b", "html", "-d", str(doctrees), str(source), str(site)]) != 0:
        return ["Sphinx warned (above)"]
    return broken_links(site)


def main(arguments: list[str]) -> int:
    """Build, and say where the site is or what is wrong."""
    if len(arguments) != 2:
        print("usage: python docs/build.py NOTEBOOKS SITE", file=sys.stderr)
        return 2
    site = Path(arguments[1])
    wrong = build(Path(arguments[0]), site)
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        return 1
    print(f"The static edition: {site.resolve() / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
