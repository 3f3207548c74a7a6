"""Figures as files: a page to explore and a picture to read."""

import html
from pathlib import Path

import plotly.graph_objects as go

from crn_lib.files import replace_file
from crn_lib.viz.theme import describe

PNG_WIDTH = 980
SCRIPT = 'src="plotly.min.js"'


def store_figure(figure: go.Figure, path: Path) -> str:
    """Replace `path` with the ending `.html`, and `.png` where this machine can draw one.

    The HTML reads `plotly.min.js` from the same folder, so that it works offline and stays small. That file (5 MB) is
    written too, but git does not keep it; a page without it shows the picture and says so. Under the figure stands
    what it shows in words.

    Returns:
        What was written, in words; where there is no PNG, why.
    """
    page, picture = path.with_suffix(".html"), path.with_suffix(".png")

    def write_page(temporary: Path) -> None:
        figure.write_html(temporary, include_plotlyjs="directory", div_id=path.stem)
        temporary.write_text(_with_words(temporary.read_text(encoding="utf-8"), figure, picture.name), encoding="utf-8")

    replace_file(page, write_page)
    try:
        drawn = figure.to_image("png", width=PNG_WIDTH, height=figure.layout.height, scale=1.5)
    except RuntimeError as error:  # kaleido or its browser is missing
        return f"figure in {page}; no PNG: {str(error).strip().splitlines()[0]}"
    replace_file(picture, lambda temporary: temporary.write_bytes(drawn))
    return f"figure in {picture} and {page}"


def _with_words(page: str, figure: go.Figure, picture: str) -> str:
    """The page with the figure in words, and with the picture in its place where plotly's script is not there."""
    words = html.escape(describe(figure), quote=True)
    missing = (
        f'<div id="no-script" hidden><img src="{picture}" alt="{words}" style="max-width:100%">'
        "<p>To explore this figure, put plotly.min.js beside this page.</p></div>"
    )
    page = page.replace(SCRIPT, f"{SCRIPT} onerror=\"document.getElementById('no-script').hidden = false\"")
    return page.replace("<body>", f"<body>{missing}").replace("</body>", f"<p>{words}</p></body>")
