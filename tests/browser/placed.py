"""The widget of points in a plane: where its points stand, and whether its curves and its table are the library's."""

import re
from functools import cache

import pytest
from playwright.sync_api import Locator

from crn_lib.course import frontend
from crn_lib.models import SequenceModel
from crn_lib.viz import KIND_NAMES
from tests.course.frontend.fitted import XS, Points, predicted

LABEL = re.compile(r"^point (\d+), at (−?\d\.\d\d), (−?\d\.\d\d);")

# By curve, where it is drawn, and what its row of the table says.
DRAWN = """widget => Object.fromEntries([...widget.querySelectorAll('polyline')].map(line => [line.dataset.curve, {
  at: line.getAttribute('points').split(' ').filter(Boolean).map(at => at.split(',').map(Number)),
  row: [...widget.querySelectorAll(`tr[data-curve="${line.dataset.curve}"] td`)].map(cell => cell.textContent),
}]))"""


@cache
def models() -> dict[str, SequenceModel]:
    return {kind: frontend.line_model(kind) for kind in frontend.LINE_KINDS}


def point(widget: Locator, number: int) -> Locator:
    """The handle of this point, from 1."""
    return widget.get_by_role("button", name=re.compile(rf"^point {number}, at"))


def placed(widget: Locator) -> Points:
    """The points in their order, as a screen reader has them."""
    labels = widget.locator("button.point").evaluate_all("points => points.map(p => p.getAttribute('aria-label'))")
    found = [LABEL.match(label) for label in labels]
    assert [int(one[1]) for one in found if one] == list(range(1, len(labels) + 1)), labels
    x, y = ([float(one[part].replace("−", "-")) for one in found if one] for part in (2, 3))
    return list(zip(x, y, strict=True))


def assert_curves_are_the_librarys(widget: Locator) -> None:
    """All curves at every x at which the library is asked, and the three numbers that the table has of each."""
    wanted = predicted(placed(widget), models())
    named = {KIND_NAMES[kind]: values for kind, values in wanted["models"].items()} | wanted["estimators"]
    drawn = widget.evaluate(DRAWN)
    assert sorted(drawn) == sorted(named)
    for name, values in named.items():
        row = [float(words.replace("−", "-")) for words in drawn[name]["row"] if words != "none"]
        if None in values:
            assert drawn[name]["at"] == [] and drawn[name]["row"] == ["none"] * 3, name
            continue
        by_x = {x: -minus_y for x, minus_y in drawn[name]["at"]}
        assert [by_x[x] for x in XS.tolist()] == pytest.approx(values, abs=1e-4, rel=1e-4), name
        in_table = [value for x, value in zip(XS.tolist(), values, strict=True) if x in (-2, 1, 2)]
        assert row == pytest.approx(in_table, abs=0.0051), name
