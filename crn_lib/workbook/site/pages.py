"""From a stored lesson to what Sphinx builds its page from: figures ready to be drawn, links within the site."""

import base64
import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ipywidgets
import nbformat
from docutils.nodes import make_id

from crn_lib import course
from crn_lib.course.cards import ACCENTS
from crn_lib.course.figures import PLOTLY_MIME
from crn_lib.course.frontend import ALIVE_MIME
from crn_lib.course.predict import Prediction

# Cells whose code is folded away, as are those that JupyterLab folds: a quiz's gives its answer, a claim's is what one
# looks up, not what one reads.
FOLDED = ("course.quiz(", "course.claim(")

# Letters of the longest printed line in columns.
LONGEST_OF_COLUMNS = 120

# A card of `Prediction.reveal`: its colour says whether the guess was right; a line for the guess, one for what was
# measured, and the verdict.
REVEALED = re.compile(
    r"border-left:4px solid #\w+(?P<title>[^>]*><div><b>[^<]*</b></div>)"
    r'<div><span style="[^"]*">your guess</span>.*?</div>(?P<measured><div>.*?</div>)<div>[^<]*</div>(?P<end></div>)$',
    re.DOTALL,
)

# Where `crn doctor` says which folder is the workbook's.
OWN_FOLDER = re.compile(r"rows and runs go to ([^<]+)")


def make_page(lesson: Path, pictures: Path) -> Any:
    """The notebook that Sphinx shows for a stored lesson.

    Args:
        lesson: the stored notebook; it is not changed.
        pictures: where the figures' pictures go, for pages without JavaScript.
    """
    notebook = nbformat.read(lesson, as_version=4)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            cell.source = cell.source.replace("](../docs/", "](")  # which lies beside the lessons there
            continue
        cell.outputs = _streams_joined(cell.outputs)
        for place, output in enumerate(cell.outputs):
            data = output.get("data", {})
            picture = pictures / f"{lesson.stem}-{number}-{place}.jpeg"
            if (ALIVE_MIME in data or PLOTLY_MIME in data) and "image/jpeg" in data:
                picture.write_bytes(base64.b64decode(data["image/jpeg"]))
            if ALIVE_MIME in data:
                words = output.metadata.get("image/jpeg", {}).get("alt", "")
                shown = _picture(picture.name, words) if picture.exists() else ""
                output.data = {"text/html": alive(**data[ALIVE_MIME], picture=shown)}
            elif PLOTLY_MIME in data:
                output.data = {"text/html": _figure(data[PLOTLY_MIME], data["text/plain"], picture.name)}
            elif "text/html" in data:
                shown = _measured_alone(_own_folder_named(data["text/html"]))
                output.data = {"text/html": _links_within_the_site(shown)}
        if makes_control(cell.source) and "crn-alive" not in str(cell.outputs):
            cell.outputs.append(nbformat.v4.new_output("display_data", {"text/html": _needs_kernel(lesson)}))
        if any(call in cell.source for call in FOLDED) or cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
        if _prints_columns(cell.outputs):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "aligned"]
    return notebook


def _streams_joined(outputs: list[Any]) -> list[Any]:
    """What a cell printed in one go as one output, in its place among the others."""
    joined: list[Any] = []
    for output in outputs:
        before = joined[-1] if joined else None
        if before is not None and before.get("name") == output.get("name") and output.output_type == "stream":
            before.text += output.text
        else:
            joined.append(output)
    return joined


def _prints_columns(outputs: list[Any]) -> bool:
    """Whether what a cell prints stands in columns, which a line that wraps would break; long lines are sentences."""
    printed = [output.text.splitlines() for output in outputs if output.output_type == "stream"]
    in_columns = any(sum(bool(re.search(r"\S {2,}\S", line)) for line in lines) > 1 for lines in printed)
    return in_columns and all(len(line) <= LONGEST_OF_COLUMNS for lines in printed for line in lines)


def _measured_alone(page: str) -> str:
    """A revealed prediction without the guess and its verdict: who reads a page has set none, it is the default's."""
    return REVEALED.sub(rf"border-left:4px solid {ACCENTS['ask']}\g<title>\g<measured>\g<end>", page)


def _own_folder_named(page: str) -> str:
    """Findings of `crn doctor` with the workbook's folder called that, not as the machine that stored them has it."""
    own = OWN_FOLDER.search(page)
    if own is None:
        return page
    called = html.escape("the workbook's folder")
    return page.replace(f"{own[1]}/", f"{called}, ").replace(own[1], called)


def makes_control(source: str) -> bool:
    """Whether the code calls a function of `crn_lib.course` that gives a control, which is nothing without a kernel."""
    return any(_is_control(getattr(course, name, None)) for name in re.findall(r"\bcourse\.(\w+)\(", source))


def _is_control(maker: Any) -> bool:
    made = maker if isinstance(maker, type) else getattr(maker, "__annotations__", {}).get("return")
    return isinstance(made, type) and issubclass(made, ipywidgets.Widget | Prediction)


def _figure(figure: dict[str, Any], words: str, picture: str) -> str:
    """What figures.js draws; a picture until it has, and the figure in words for who cannot see that."""
    stored = json.dumps({"data": figure["data"], "layout": figure["layout"]}, separators=(",", ":"))
    stored = stored.replace("</", "<\\/")  # so that no string in it can end the script element
    height = int(figure["layout"]["height"])
    return (
        '<figure class="stored-figure"><div class="plot-title"></div><div class="plot-frame" tabindex="0">'
        f'<div class="plot" style="height:{height}px">{_picture(picture, words)}</div></div>'
        f'<script type="application/json">{stored}</script>'
        f"<figcaption><details><summary>the figure in words</summary>{html.escape(words)}</details></figcaption>"
        "</figure>"
    )


def _picture(name: str, words: str) -> str:
    return f'<img loading="lazy" src="_static/pictures/{name}" alt="{html.escape(words)}">'


def alive(module: str, state: dict[str, Any], picture: str = "") -> str:
    """Where host.js mounts a module that computes in the page; the picture stands there until it draws."""
    stored = json.dumps(state, separators=(",", ":")).replace("</", "<\\/")
    return (
        f'<div class="crn-alive" data-module="{module}"><script type="application/json">{stored}</script>'
        f"{picture}<noscript>A control stands here that needs JavaScript.</noscript></div>"
    )


def _needs_kernel(lesson: Path) -> str:
    command = f"make lab NOTEBOOK=notebooks/{lesson.name}"
    return f'<div class="needs-kernel">A control stands here in JupyterLab: <code>{command}</code></div>'


def _links_within_the_site(page: str) -> str:
    """Links in an output, which Sphinx does not look into: from notebooks and JupyterLab's anchors to pages and ids."""

    def to_page(found: re.Match[str]) -> str:
        lesson, heading = found.groups()
        anchor = f"#{make_id(unquote(heading))}" if heading else ""
        return f'href="{lesson}.html{anchor}"'

    return re.sub(r'href="(\d\d_\w+)\.ipynb(?:#([^"]+))?"', to_page, page)
