"""Figures as files: a page that reads without plotly's script and without eyes."""

import plotly.graph_objects as go

from crn_lib.viz.theme import new_figure
from crn_lib.workbook.figure_files import store_figure


def test_the_page_says_the_figure_in_words_and_falls_back_to_the_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(go.Figure, "to_image", lambda *_, **__: b"picture")
    store_figure(new_figure("bytes", description='4 < 5 "tokens"'), tmp_path / "held")
    page = (tmp_path / "held.html").read_text(encoding="utf-8")
    words = "4 &lt; 5 &quot;tokens&quot;"
    assert f"<p>{words}</p></body>" in page
    assert f'<div id="no-script" hidden><img src="held.png" alt="{words}"' in page
    assert page.count('src="plotly.min.js" onerror=') == 1, "the script's own failure shows the picture"
    assert (tmp_path / "plotly.min.js").exists()
