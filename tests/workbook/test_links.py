"""What is broken in a site is found: links that lead nowhere, places that are not there, and fetches from outside."""

from pathlib import Path

import pytest

from crn_lib.workbook.site.links import broken_links

GOOD = """<html><head><link rel="stylesheet" href="_static/a.css"><script src="_static/a.js?v=1"></script></head>
<body id="top"><h2 id="two-words">Two words</h2><a href="#top">up</a> <a href="b.html#here">there</a>
<a href="https://arxiv.org/abs/2406.16168">the paper</a> <img src="data:image/png;base64,AAAA"></body></html>"""


def site(folder: Path, page: str = GOOD) -> Path:
    """A site of two pages, the first of them given."""
    static = folder / "_static"
    static.mkdir()
    (static / "a.css").write_text("body { background: url('dot.svg') } i { background: url(data:image/png;base64,AA) }")
    (static / "a.js").write_text("")
    (static / "dot.svg").write_text("<svg/>")
    (static / "template.html").write_text('<a href="{{ nowhere }}">the theme\'s, not a page</a>')
    (folder / "a.html").write_text(page)
    (folder / "b.html").write_text('<p id="here"><a href="a.html#two-words">back</a></p>')
    return folder


def test_a_whole_site_has_nothing_broken(tmp_path: Path) -> None:
    assert broken_links(site(tmp_path)) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('href="b.html#here"', 'href="c.html"', "a.html: c.html is not there"),
        ('href="b.html#here"', 'href="b.html#gone"', "a.html: b.html#gone has no such place in it"),
        ('href="#top"', 'href="#bottom"', "a.html: #bottom has no such place in it"),
        ('src="_static/a.js?v=1"', 'src="_static/b.js"', "a.html: _static/b.js is not there"),
        ('src="_static/a.js?v=1"', 'src="https://cdn.plot.ly/p.js"', "a.html: fetches https://cdn.plot.ly/p.js"),
        ('src="_static/a.js?v=1"', 'src="//cdn.plot.ly/p.js"', "a.html: fetches //cdn.plot.ly/p.js"),
        ('href="_static/a.css"', 'href="https://fonts.example/f.css"', "a.html: fetches https://fonts.example/f.css"),
    ],
)
def test_what_is_broken_in_a_page_is_named(old: str, new: str, found: str, tmp_path: Path) -> None:
    assert old in GOOD
    assert broken_links(site(tmp_path, GOOD.replace(old, new))) == [found]


@pytest.mark.parametrize("link", ["https://fonts.example/f.woff2", "gone.svg", "//fonts.example/f.woff2"])
def test_what_a_style_sheet_would_fetch_in_vain_or_from_outside_is_named(link: str, tmp_path: Path) -> None:
    folder = site(tmp_path)
    (folder / "_static" / "a.css").write_text(f'@import "{link}";')
    assert broken_links(folder) == [f"a.css: {link} is not there"]
    (folder / "_static" / "a.css").write_text(f"body {{ background: url( '{link}' ) }}")
    assert broken_links(folder) == [f"a.css: {link} is not there"]
