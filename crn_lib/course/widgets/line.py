"""Place points in a plane, and see at every x what models that have read them predict, beside estimators."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import traitlets

from crn_lib.config import require, require_number, shown
from crn_lib.course.frontend import LINE_KINDS, model_bytes
from crn_lib.course.widgets.alive import Alive, carried_weights
from crn_lib.models import SequenceModel
from crn_lib.viz import KIND_NAMES
from crn_lib.viz.beyond import ESTIMATOR_DASHES
from crn_lib.viz.theme import GREY, KIND_COLOURS

MOST = 10
"""Points that the models can be given: `MOST` in `frontend/line.js`."""

EDGES = {"x": 2.37, "y": 3.8}
"""How far from 0 a point may be put: nearer to the plane's frame than that it could not be dragged."""

NUMBERS = 2 * MOST + 1
"""A sequence is x and y of every point, and the x that is asked about."""


class FittedLine(Alive, module="line"):
    """Points that are dragged, added and removed, and the curves of models and estimators through the whole plane.

    Args:
        models: by kind in `LINE_KINDS`, trained to read x1, y1, x2, y2 ... xk, single numbers (`input_width` and
            `vocab_size` are 1), and to give y at the last x. The static edition shows the stored ones of these kinds.
        settings: points to begin with, 1 to `MOST` pairs `(x, y)` within `EDGES`, by their name on a button. The widget
            begins with the last.

    Raises:
        ConfigError: no model or one that a page cannot give points to, no setting, or one that the plane cannot show.

    Example:
        >>> from crn_lib.course.frontend import line_model
        >>> widget = FittedLine({"causal_rn": line_model("causal_rn")}, {"one point": [(1.0, 1.2)]})
        >>> [curve["name"] for curve in widget.models], widget.estimators[1]["name"]
        (['CausalRN'], 'averaging')
    """

    models = traitlets.List(traitlets.Dict()).tag(sync=True)
    estimators = traitlets.List(traitlets.Dict()).tag(sync=True)
    settings = traitlets.List(traitlets.List()).tag(sync=True)

    def __init__(
        self, models: Mapping[str, SequenceModel], settings: Mapping[str, Sequence[tuple[float, float]]]
    ) -> None:
        require(bool(models), f"models must hold one of {' and '.join(LINE_KINDS)}; got none")
        for kind, model in models.items():
            _require_reads_points(kind, model)
        require(
            isinstance(settings, Mapping),
            f"settings must map names to points, as {{'one point': [(1.0, 1.2)]}} does; got {shown(settings)}",
        )
        require(bool(settings), "settings must hold points by at least one name; got none")
        begun_with = [[name, _in_the_plane(name, points)] for name, points in settings.items()]
        self._kinds = tuple(models)
        super().__init__(
            models=[{**_about(kind), "weights": model_bytes(model)} for kind, model in models.items()],
            estimators=[
                {"name": name, "colour": GREY, "dash": dash}
                for name, dash in ESTIMATOR_DASHES.items()
                if name != "zero"  # the axis itself
            ],
            settings=begun_with,
        )

    def page_state(self) -> dict[str, Any]:
        """The same, with the stored models."""
        models = [{**_about(kind), "weights": carried_weights(f"line_{kind}")} for kind in self._kinds]
        return {"models": models, "estimators": self.estimators, "settings": self.settings}


def _about(kind: str) -> dict[str, str]:
    return {"name": KIND_NAMES[kind], "colour": KIND_COLOURS[kind]}


def _require_reads_points(kind: str, model: SequenceModel) -> None:
    config = model.config
    require(
        kind in LINE_KINDS and config.kind == kind,
        f"models must be of the kinds {' and '.join(LINE_KINDS)}, each under its own; got {config.kind} under {kind}",
    )
    wanted: dict[str, object] = {"input_width": 1, "vocab_size": 1, "short_conv": 0, "first_window": None}
    if kind == "causal_rn":
        wanted |= {"norm": "exact", "activation": "exp"}
    for name, value in wanted.items():
        found = getattr(config, name)
        require(found == value, f"{name} of the {kind} must be {value} for this widget; got {found}")
    require(
        config.max_length >= NUMBERS,
        f"max_length of the {kind} must be at least {NUMBERS}, for {MOST} points and an x; got {config.max_length}",
    )


def _in_the_plane(name: str, points: object) -> list[list[Any]]:
    """The points as lists, all of them found to be pairs within `EDGES`."""
    listed = _listed(points)
    require(listed is not None, f"{name!r} must have a list of points (x, y); got {shown(points)}")
    listed = listed or []
    require(1 <= len(listed) <= MOST, f"{name!r} must have 1 to {MOST} points; got {len(listed)}")
    return [_pair(f"point {number} of {name!r}", point) for number, point in enumerate(listed, start=1)]


def _pair(name: str, point: object) -> list[Any]:
    pair = _listed(point) or []
    require(len(pair) == 2, f"{name} must be a pair (x, y); got {shown(point)}")
    for (axis, edge), value in zip(EDGES.items(), pair, strict=True):
        require_number(f"{axis} of {name}", value, -edge, edge)
    return pair


def _listed(value: object) -> list[Any] | None:
    """What is in it, or none where it is nothing that has parts; a string has none here."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else None
