"""Pictures beside the plotly figures of an executed lesson, for pages without JavaScript and for who cannot see them.

GitHub, nbviewer and nbconvert show the HTML, in which the description is the image's `alt`: nbconvert gives none to an
image that stands by itself. Its picture is WebP, a quarter of the size. The JPEG is for what shows no HTML, such as a
PDF; its description is where Jupyter's readers look for one. It is no PNG, because JupyterLab would show that in place
of the figure until the cell is run, at the picture's own width: cut off in a narrower window.
"""

import base64
import html
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go
import plotly.io

from crn_lib.course.figures import PLOTLY_MIME
from crn_lib.course.frontend import ALIVE_MIME
from crn_lib.course.recorded import first_figure
from crn_lib.files import replace_text
from crn_lib.viz import describe

WIDTH, SCALE = 860, 1.5
"""Of a picture: its figure's width in pixels, and pixels of the picture for each."""


def add_pictures(notebook: Any) -> None:
    """Put a picture with a description beside every figure and every recorded control, in the notebook's outputs.

    Raises:
        RuntimeError: this machine cannot draw them: kaleido or its browser is missing. The outputs are as they were.
    """
    found = [(output, figure) for output in _outputs(notebook) if (figure := _figure(output.get("data", {})))]
    figures = [go.Figure(figure) for _, figure in found]
    for (output, _), figure, (jpeg, webp) in zip(found, figures, _draw(figures), strict=True):
        plain = output.data.get("text/plain", "")
        words = describe(figure) or plain or figure.layout.title.text or "a figure"
        source = f"data:image/webp;base64,{webp}"
        output.data["text/html"] = f'<img src="{source}" alt="{html.escape(words)}" style="max-width:100%">'
        if ALIVE_MIME in output.data:
            output.data["text/html"] += f"<p>{html.escape(plain)}</p>"
        output.data.pop("image/png", None)  # which JupyterLab puts there when it has drawn a figure
        output.data["image/jpeg"] = jpeg
        output.metadata = {"image/jpeg": {"alt": words}}


def add_pictures_to(path: Path) -> str:
    """The same in the file of a notebook, if it is there; returns why this machine cannot, or nothing."""
    if not path.exists():
        return ""
    try:
        notebook = nbformat.read(path, as_version=4)
        add_pictures(notebook)
        replace_text(path, nbformat.writes(notebook) + "\n")
    except (RuntimeError, OSError) as error:
        return str(error).strip().splitlines()[0]
    return ""


def without_description(notebook: Any) -> Iterator[str]:
    """The figures and pictures that lack what `add_pictures` gives them."""
    for output in _outputs(notebook):
        data = output.get("data", {})
        if PLOTLY_MIME in data and not {"image/jpeg", "text/html"} <= set(data):
            yield "a figure without JPEG and HTML beside it"
        elif PLOTLY_MIME in data and "image/png" in data:
            yield "a figure with a PNG beside it, which JupyterLab would show at the picture's own width"
        for kind in {"image/jpeg", "image/png"} & set(data):
            if not output.metadata.get(kind, {}).get("alt"):
                yield "a picture without a description (alt)"


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def _figure(data: dict[str, Any]) -> dict[str, Any] | None:
    """What an output shows, as plotly's JSON: its figure, or the first of a recorded control."""
    if PLOTLY_MIME in data:
        return dict(data[PLOTLY_MIME])
    alive = data.get(ALIVE_MIME, {})
    return first_figure(alive["state"]) if alive.get("module") == "sampled" else None


def _draw(figures: list[go.Figure]) -> list[tuple[str, str]]:
    """Each figure as JPEG and as WebP, in base 64: all of them with one start of the browser."""
    if not figures:
        return []
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.{kind}" for number in range(len(figures)) for kind in ("jpeg", "webp")]
        twice = [figure for figure in figures for _ in range(2)]
        heights = [figure.layout.height for figure in twice]
        plotly.io.write_images(twice, files, width=WIDTH, height=heights, scale=SCALE)
        if not all(file.exists() for file in files):
            raise RuntimeError("kaleido drew no picture of a figure")
        drawn = [base64.b64encode(file.read_bytes()).decode() for file in files]
    return list(zip(drawn[::2], drawn[1::2], strict=True))
