"""The figure of bound controls at a planned set of their settings: what a page without a kernel offers in their place.

Recorded when a lesson is stored (`crn refresh` asks for it by the environment), drawn by `frontend/sampled.js`.
"""

import base64
import gzip
import itertools
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import plotly.graph_objects as go

RECORDS = "CRN_RECORDS"
"""The variable of the environment that is set while a lesson is stored."""

MOST = 200
"""Settings of one figure at most."""

DIGITS = 6
"""Significant digits kept of a number that is drawn."""


def recording() -> bool:
    """Whether the lesson that runs is being stored."""
    return RECORDS in os.environ


def choices_of(control: ipywidgets.Widget) -> list[tuple[str, Any]]:
    """What a control can be set to, as words and values; of free text only what it holds."""
    if isinstance(control, ipywidgets.IntSlider):
        return [(str(value), value) for value in range(control.min, control.max + 1, control.step)]
    if isinstance(control, ipywidgets.Checkbox):
        return [("no", False), ("yes", True)]
    if hasattr(control, "_options_full"):
        return [(str(words), value) for words, value in control._options_full]
    return [(str(control.value), control.value)]


def plan(choices: Mapping[str, Sequence[Any]], chosen: Mapping[str, int], most: int = MOST) -> dict[str, list[int]]:
    """Which choices of each control are recorded, so that there are at most so many settings of all together.

    Args:
        choices: of each control.
        chosen: the number of the choice that each control begins with; it is always recorded.

    Returns:
        Numbers of choices, evenly spread over those of a control that has too many, with both ends.
    """
    counts = {name: len(own) for name, own in choices.items()}
    while math.prod(counts.values()) > most:
        counts[max(counts, key=lambda name: counts[name])] -= 1
    planned = {}
    for name, count in counts.items():
        last = len(choices[name]) - 1
        kept = [round(place * last / max(1, count - 1)) for place in range(count)]
        if chosen[name] not in kept:
            inner = range(1, count - 1) if count > 2 else range(count)  # both ends stay
            kept[min(inner, key=lambda place: abs(kept[place] - chosen[name]))] = chosen[name]
        planned[name] = kept
    return planned


def record(draw: Callable[..., go.Figure], controls: Mapping[str, ipywidgets.Widget]) -> dict[str, Any]:
    """The state of `sampled.js`: the controls, and `draw` at every planned setting of them.

    The parts of all figures (an entry of a trace or of the layout each) are kept once where they are the same. Where
    `draw` refuses a setting, the words of its error stand in the place of parts.
    """
    choices = {name: choices_of(control) for name, control in controls.items()}
    chosen = {
        name: next(number for number, (_, value) in enumerate(own) if value == controls[name].value)
        for name, own in choices.items()
    }
    planned = plan(choices, chosen)
    parts: dict[str, dict[str, int]] = {}
    settings: list[dict[str, int] | str] = []
    for setting in itertools.product(*planned.values()):
        values = {name: choices[name][number][1] for name, number in zip(planned, setting, strict=True)}
        try:
            figure = json.loads(draw(**values).to_json(), parse_float=_rounded)
        except ValueError as error:
            settings.append(str(error))
            continue
        picked = {}
        for path, part in _parts(figure):
            known = parts.setdefault(path, {})
            picked[path] = known.setdefault(json.dumps(part, separators=(",", ":")), len(known))
        settings.append(picked)
    paths = list(parts)
    record_ = {
        "paths": paths,
        "parts": [[json.loads(part) for part in parts[path]] for path in paths],
        "settings": [own if isinstance(own, str) else [own.get(path, -1) for path in paths] for own in settings],
    }
    packed = gzip.compress(json.dumps(record_, separators=(",", ":"), ensure_ascii=False).encode(), mtime=0)
    return {
        "controls": [
            {
                "words": controls[name].description or name,
                "kind": _kind(controls[name]),
                "options": [choices[name][number][0] for number in numbers],
                "chosen": numbers.index(chosen[name]),
            }
            for name, numbers in planned.items()
        ],
        "offered": math.prod(len(own) for own in choices.values()),
        "packed": base64.b64encode(packed).decode(),
    }


def first_figure(state: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figure of a recorded state's first setting, as plotly's JSON; `None` where `draw` refused that."""
    record_ = json.loads(gzip.decompress(base64.b64decode(state["packed"])))
    number = 0
    for control in state["controls"]:
        number = number * len(control["options"]) + control["chosen"]
    picked = record_["settings"][number]
    if isinstance(picked, str):
        return None
    traces: dict[str, dict[str, Any]] = {}
    layout = {}
    for path, parts, part in zip(record_["paths"], record_["parts"], picked, strict=True):
        where, *names = path.split(".")
        if part < 0:
            continue
        if where == "layout":
            layout[".".join(names)] = parts[part]
        else:
            traces.setdefault(names[0], {})[".".join(names[1:])] = parts[part]
    return {"data": list(traces.values()), "layout": layout}


def _kind(control: ipywidgets.Widget) -> str:
    if isinstance(control, ipywidgets.Checkbox):
        return "tick"
    return "list" if isinstance(control, ipywidgets.Dropdown) else "slider"


def _parts(figure: Mapping[str, Any]) -> list[tuple[str, Any]]:
    traces = [
        (f"data.{number}.{name}", part) for number, trace in enumerate(figure["data"]) for name, part in trace.items()
    ]
    return traces + [(f"layout.{name}", part) for name, part in figure["layout"].items()]


def _rounded(number: str) -> float:
    return float(f"{float(number):.{DIGITS}g}")
