"""What axe-core finds serious on a page."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# What a lesson brings into JupyterLab: its text and outputs. The cells around them, their editors (which have no name
# that a screen reader could say) and the buttons that fold headings are JupyterLab's.
OWN_IN_JUPYTERLAB = [".jp-RenderedMarkdown > *", ".jp-OutputArea-output > *"]


def serious(page: Page, *, include: list[str] | None = None, contrast: bool = True) -> list[str]:
    """The findings of the impact serious or critical, each with its rule and the element, in one line.

    Not looked into, for time: what plotly draws, whose figures stand beside it in words, and typeset equations.

    Args:
        include: selectors; the whole page where not given.
        contrast: look at the contrast of text too, which takes six times as long as all else.
    """
    context: dict[str, Any] = {"exclude": [".plot", ".js-plotly-plot", "mjx-container"]}
    # No preload: axe would ask for the style sheets again, which a browser refuses for pages opened as files.
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
    if include:
        context["include"] = include
    if not contrast:
        options["rules"] = {"color-contrast": {"enabled": False}}
    found = Axe().run(page, context=context, options=options).response
    assert found["passes"], "axe looked at something"
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
