"""The widget of points in a plane: what it gives its module and pages, and what it refuses, in one line each."""

import json
from typing import Any

import pytest

from crn_lib.config import ConfigError
from crn_lib.course import FittedLine, frontend
from crn_lib.course.frontend import ALIVE_MIME
from crn_lib.course.widgets.line import EDGES, MOST
from crn_lib.models import ModelConfig, SequenceModel, build_model
from crn_lib.tasks import ESTIMATORS
from crn_lib.viz.theme import KIND_COLOURS

POINTS = {"one": [(1.0, 1.2)], "two": [(1.0, 2.0), (-2.0, 0.5)]}


def model(**fields: Any) -> SequenceModel:
    shape = {"kind": "causal_rn", "width": 8, "blocks": 1, "max_length": 22, "input_width": 1, "vocab_size": 1}
    return build_model(ModelConfig(**{**shape, **fields}))


def test_the_module_gets_the_models_asked_for_and_pages_the_stored_ones() -> None:
    own = model()
    widget = FittedLine({"causal_rn": own, "transformer": frontend.line_model("transformer")}, POINTS)
    assert widget.models[0]["weights"] == frontend.model_bytes(own)
    assert [about["colour"] for about in widget.models] == [KIND_COLOURS["causal_rn"], KIND_COLOURS["transformer"]]
    assert [about["name"] for about in widget.estimators] == [name for name in ESTIMATORS if name != "zero"]
    assert widget.settings == [["one", [[1.0, 1.2]]], ["two", [[1.0, 2.0], [-2.0, 0.5]]]]
    bundle, _ = widget._repr_mimebundle_()
    state = bundle[ALIVE_MIME]["state"]
    assert bundle[ALIVE_MIME]["module"] == "line" and state["settings"] == widget.settings
    weights = [about["weights"]["carried"] for about in state["models"]]
    assert weights == ["line_causal_rn.safetensors", "line_transformer.safetensors"]
    assert set(weights) <= set(frontend.carried_names()) and json.dumps(bundle)
    alone = FittedLine({"transformer": model(kind="transformer")}, POINTS).page_state()
    assert [about["name"] for about in alone["models"]] == ["Transformer"], "of the kinds that the widget has"


def test_the_most_points_that_a_setting_may_have_are_those_of_the_page() -> None:
    text = (frontend.FOLDER / "line.js").read_text(encoding="utf-8")
    assert f"const MOST = {MOST};" in text and "const RANGE = { x: 2.5, y: 4 };" in text
    assert (EDGES["x"], EDGES["y"]) == (2.37, 3.8), "the last whole steps within 0.95 of RANGE"
    FittedLine({"causal_rn": model(max_length=21)}, {"many": [(EDGES["x"], -EDGES["y"])] * MOST})


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("causal_rn", {"input_width": None}, "input_width of the causal_rn must be 1 for this widget; got None"),
        ("causal_rn", {"vocab_size": 2}, "vocab_size of the causal_rn must be 1 for this widget; got 2"),
        ("causal_rn", {"norm": "approx"}, "norm of the causal_rn must be exact for this widget; got approx"),
        ("causal_rn", {"activation": "relu"}, "activation of the causal_rn must be exp for this widget; got relu"),
        ("causal_rn", {"short_conv": 3}, "short_conv of the causal_rn must be 0 for this widget; got 3"),
        ("causal_rn", {"first_window": 4}, "first_window of the causal_rn must be None for this widget; got 4"),
        ("causal_rn", {"max_length": 20}, "at least 21, for 10 points and an x; got 20"),
        (
            "transformer",
            {},
            "must be of the kinds causal_rn and transformer, each under its own; got causal_rn under",
        ),
        ("lstm", {"kind": "lstm"}, "of the kinds causal_rn and transformer, each under its own; got lstm under lstm"),
    ],
)
def test_a_model_that_a_page_cannot_give_points_is_refused(kind: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=r"^[^\n]*$") as refused:
        FittedLine({kind: model(**fields)}, POINTS)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "settings must hold points by at least one name; got none"),
        ({"none": []}, "'none' must have 1 to 10 points; got 0"),
        ({"many": [(0.1, 0.1)] * 11}, "'many' must have 1 to 10 points; got 11"),
        ({"far": [(0.1, 0.1), (2.5, 0.1)]}, "x of point 2 of 'far' must be a number from -2.37 to 2.37; got 2.5"),
        ({"high": [(0.1, -4)]}, "y of point 1 of 'high' must be a number from -3.8 to 3.8; got -4"),
        ({"odd": [(0.1, float("nan"))]}, "y of point 1 of 'odd' must be a number from -3.8 to 3.8; got nan"),
        ({"three": [(1.0, 2.0, 3.0)]}, "point 1 of 'three' must be a pair (x, y); got (1.0, 2.0, 3.0)"),
        ({"a": [1.0]}, "point 1 of 'a' must be a pair (x, y); got 1.0"),
        ({"a": [(0.1, 0.1), "ab"]}, "point 2 of 'a' must be a pair (x, y); got 'ab'"),
        ({"a": [None]}, "point 1 of 'a' must be a pair (x, y); got None"),
        ({"a": 5}, "'a' must have a list of points (x, y); got 5"),
        ({"a": "ab"}, "'a' must have a list of points (x, y); got 'ab'"),
        ({"a": None}, "'a' must have a list of points (x, y); got None"),
        (
            [("a", 1)],
            "settings must map names to points, as {'one point': [(1.0, 1.2)]} does; got [('a', 1)]",
        ),
        (None, "settings must map names to points, as {'one point': [(1.0, 1.2)]} does; got None"),
    ],
)
def test_a_setting_that_the_plane_cannot_show_is_refused(settings: Any, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        FittedLine({"causal_rn": model()}, settings)
    assert str(refused.value) == said


def test_no_model_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^models must hold one of causal_rn and transformer; got none$"):
        FittedLine({}, POINTS)
