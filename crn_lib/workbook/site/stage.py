"""Build the static edition of the workbook: `crn site`.

The lessons are taken as they are stored; nothing is executed. A warning of Sphinx, a link that leads nowhere or a page
that would fetch something from the network fails the build.
"""

import importlib.resources
import re
import shutil
from pathlib import Path

import nbformat
import plotly
from sphinx.cmd.build import main as sphinx

from crn_lib.course import frontend
from crn_lib.course.widgets.copier import copier_state
from crn_lib.paths import workbook_folder
from crn_lib.workbook.runner import find_lessons
from crn_lib.workbook.site.links import broken_links
from crn_lib.workbook.site.pages import alive, make_page

LIST_HERE = "<!-- `crn site` lists the lessons here -->"
COPIER_HERE = "<!-- `crn site` puts the copier here -->"
FIRST_STRING = "causalrelation"
# One file each, shared by all pages, from the packages that pip installed.
SCRIPTS = (
    Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
    Path(str(importlib.resources.files("sphinx-mathjax-offline"))) / "static" / "mathjax" / "tex-svg.js",
)


MOVED = {"09_numbers_that_overflow": "11_numbers_that_overflow", "11_scaling_out": "12_scaling_out"}
"""Lessons that had another number once: their old pages lead on, for bookmarks and links from outside."""

LEADS_ON = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Moved</title><meta http-equiv="refresh" content="0; url={page}"></head>
<body><main><h1>Moved</h1><p>This lesson has another number now: <a href="{page}">{page}</a></p></main></body>
</html>
"""


def stage(lessons: list[Path], source: Path) -> None:
    """Write what Sphinx builds from into the folder `source`: `docs/`, the lessons' pages, and the scripts."""
    source.parent.mkdir(parents=True)
    shutil.copytree(workbook_folder() / "docs", source, ignore=shutil.ignore_patterns("__pycache__"))
    pictures = source / "static" / "pictures"
    pictures.mkdir()
    for script in SCRIPTS:
        shutil.copy(script, source / "static")
    _stage_frontend(source / "static")
    for lesson in lessons:
        nbformat.write(make_page(lesson, pictures), source / lesson.name)
    for page in source.glob("*.md"):
        text = link_lessons(page.read_text(encoding="utf-8"), lessons)
        page.write_text(link_figures(text, pictures), encoding="utf-8")
    index = source / "index.md"
    front = index.read_text(encoding="utf-8").replace(LIST_HERE, list_lessons(lessons))
    index.write_text(front.replace(COPIER_HERE, alive("copier", copier_state(FIRST_STRING))), encoding="utf-8")


def _stage_frontend(static: Path) -> None:
    """The host, the style sheets, and the modules and weights that it carries to a page."""
    (static / "alive").mkdir()
    shutil.copy(frontend.FOLDER / "host.js", static)
    for module in (frontend.SHARED_STYLE, *frontend.MODULES):
        shutil.copy(frontend.FOLDER / f"{module}.css", static)
    for name in frontend.carried_names():
        (static / "alive" / f"{name}.carried.js").write_text(frontend.carried(name), encoding="utf-8")


def link_lessons(text: str, lessons: list[Path]) -> str:
    """Links to lessons as they lead from a page of the site, where they lie beside it; to one not there, its text."""
    there = {lesson.name for lesson in lessons}

    def from_the_page(found: re.Match[str]) -> str:
        return f"[{found[1]}]({found[2]})" if found[2] in there else found[1]

    return re.sub(r"\[([^\]]*)\]\(\.\./notebooks/([^)#]+)\)", from_the_page, text)


def link_figures(text: str, pictures: Path) -> str:
    """Figures shown from `../figures` as they lie in the site, where they are copied to."""

    def copied(found: re.Match[str]) -> str:
        shutil.copy(workbook_folder() / "figures" / found[1], pictures)
        return f"](static/pictures/{found[1]})"

    return re.sub(r"\]\(\.\./figures/([\w]+\.png)\)", copied, text)


def list_lessons(lessons: list[Path]) -> str:
    """Each lesson's title, minutes and "After this lesson you can", from its first cell, in Markdown."""
    parts = []
    for lesson in lessons:
        opening = nbformat.read(lesson, as_version=4).cells[0].source
        title = re.search(r"^# (.+)$", opening, re.MULTILINE)
        can = re.search(r"\*\*After this lesson you can\*\*\s+(.+?)\n\n\*\*Minutes\*\* (\d+)", opening, re.DOTALL)
        if title is None or can is None:
            raise ValueError(f"{lesson.name}: its first cell has no title, or not what the reader can do after it")
        parts.append(f"**[{title[1]}]({lesson.name})** · {can[2]} minutes of reading. After it you can\n\n{can[1]}")
    return "\n\n".join(parts)


def build(notebooks: Path, site: Path) -> list[str]:
    """Build the site beside its place, move it there if nothing is wrong, and return what is wrong with it.

    Raises:
        ValueError: in the site's place stands something else, which would be deleted.
    """
    if site.exists() and any(site.iterdir()) and not (site / ".buildinfo").is_file():
        raise ValueError(f"{site} is there and is no site built by Sphinx: name another folder, or remove it yourself")
    lessons = find_lessons(notebooks)
    work = site.with_name(f"{site.name}-build")
    shutil.rmtree(work, ignore_errors=True)
    source, built = work / "source", work / "html"
    stage(lessons, source)
    if sphinx(["-q", "-W", "--keep-going", "-b", "html", "-d", str(work / "doctrees"), str(source), str(built)]) != 0:
        return [f"Sphinx warned (above); what it built is in {built}"]
    for old, new in MOVED.items():
        if (built / f"{new}.html").is_file():
            (built / f"{old}.html").write_text(LEADS_ON.format(page=f"{new}.html"), encoding="utf-8")
    for source_map in built.rglob("*.map"):  # of the theme's scripts, for its developers: an eighth of all bytes
        source_map.unlink()
    wrong = broken_links(built)
    if not wrong:
        shutil.rmtree(site, ignore_errors=True)
        built.rename(site)
        shutil.rmtree(work)
    return wrong
