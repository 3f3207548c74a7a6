"""Sphinx's settings for the static edition. `crn site` copies this folder beside the lessons and runs it there."""

from crn_lib.course import frontend

project = "The CausalRN workbook"
html_title = project
author = "the crn_lib authors"  # as CITATION.cff has it; Sphinx would write "Author name not set" below every page
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["*.py"]

# api/: each package's `__all__`, with its docstrings, where `x` means code.
autodoc_default_options = {"members": True, "imported-members": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
default_role = "code"

# The lessons are shown as they are stored: `make test` executes them, and a page must not differ from the file.
nb_execution_mode = "off"
nb_merge_streams = False  # it would print everything of a cell above its first table; pages.py joins neighbours
nb_code_prompt_show = "··· show the code"  # the lessons say "click the three dots", which JupyterLab has
nb_code_prompt_hide = "··· hide the code"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

html_theme = "sphinx_book_theme"
html_theme_options = {
    "use_download_button": False,  # what it would offer is the copy made for the page, not the lesson
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "logo": {"text": project},
    "navbar_persistent": [],  # the sidebar has the search already
}
html_context = {"default_mode": "auto"}  # light or dark as the system is, until the reader switches
html_favicon = "static/favicon.svg"
html_show_search_summary = False  # they are fetched from the pages, which a browser refuses for pages opened as files
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["workbook.css", *(f"{name}.css" for name in (frontend.SHARED_STYLE, *frontend.MODULES))]
html_js_files = [("figures.js", {"defer": "defer", "priority": 100}), ("host.js", {"async": "async", "priority": 100})]
mathjax_path = "tex-svg.js"  # in static/, put there by `crn site`; in SVG, so that it needs no fonts


def name_the_folds(app, pagename, templatename, context, doctree):
    """Say to screen readers what an arrow in the sidebar folds open: the theme gives it no words."""
    make = context.get("generate_toctree_html")

    def make_named(*arguments, **options):
        tree = make(*arguments, **options)
        for fold in tree.select("summary:not([aria-label])") if hasattr(tree, "select") else ():
            fold["aria-label"] = f"pages of {fold.find_parent('li').a.get_text(strip=True)}"
        return tree

    if make is not None:
        context["generate_toctree_html"] = make_named


def bring_the_copier(app, pagename, templatename, context, doctree):
    """The front page's head brings what its copier needs, so that the copier is there in the first frame."""
    if pagename == "index":
        for name in frontend.carried_for("copier", frontend.SHIPPED):
            app.add_js_file(f"alive/{name}.carried.js", loading_method="async", priority=90)


def setup(app):
    """Called by Sphinx."""
    app.connect("html-page-context", bring_the_copier)
    app.connect("html-page-context", name_the_folds, priority=900)  # after the theme has put its functions there
