"""Widgets around a model: curves that grow while it trains, and a string copied letter by letter."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import ipywidgets
import plotly.graph_objects as go

from crn_lib.course.figures import BoundFigure, LiveFigure
from crn_lib.models import SequenceModel
from crn_lib.tasks import CopyingTask, CopyTrace, trace_copy
from crn_lib.tasks.copying import ALPHABET
from crn_lib.training import RunResult, TrainConfig, train
from crn_lib.viz import draw_copy, draw_training_curves


def train_live(
    configs: Sequence[TrainConfig],
    *,
    device: str,
    metric: str = "character_accuracy",
    stays: Callable[..., go.Figure] | None = None,
) -> dict[str, RunResult]:
    """Train one model after another, with curves that grow at every evaluation and stay when all is done.

    Args:
        configs: runs of different kinds; the axis ends at the longest.
        device: as `train` takes it.
        metric: what the curves show.
        stays: draws the figure that is left, from the histories by kind, `steps` and `string_length`; the curves if it
            is not given.

    Returns:
        The results by kind.
    """
    steps = max(config.steps for config in configs)
    length, shortest = configs[0].copying.string_length, configs[0].copying.shortest
    histories: dict[str, list[dict[str, float]]] = {config.model.kind: [] for config in configs}

    def drawn() -> go.Figure:
        return draw_training_curves(histories, metric=metric, steps=steps, string_length=length, shortest=shortest)

    live = LiveFigure(drawn())
    results = {}
    for config in configs:
        kind = config.model.kind

        def grow(history: list[dict[str, float]], kind: str = kind) -> None:
            histories[kind] = history
            live.update(drawn())

        results[kind] = train(config, device=device, on_evaluation=grow)
        if results[kind].stopped == "interrupted":
            raise KeyboardInterrupt("training was interrupted; run the cell again to start it anew")
    live.finish(stays(histories, steps=steps, string_length=length) if stays else drawn())
    return results


def fill_up(text: str, task: CopyingTask) -> str:
    """The text with letters from the end of the alphabet behind it, where the task knows one length only.

    A model trained on strings of 12 letters has never seen `SEP` anywhere but behind the twelfth.
    """
    missing = task.config.string_length - len(text) if task.config.shortest is None else 0
    filler = ALPHABET[: task.config.vocab][::-1]
    return text + "".join(filler[i % len(filler)] for i in range(missing))


def string_box(text: str, longest: int, width: str) -> ipywidgets.Text:
    """A box for a string of 1 to `longest` letters; `width` in CSS."""
    return ipywidgets.Text(
        value=text,
        description="string",
        placeholder=f"1 to {longest} letters a to z",
        continuous_update=False,
        layout={"width": width},
    )


def close_all(widget: ipywidgets.Widget) -> None:
    """Close a widget and those in it: until then ipywidgets keeps them all, with the models that they draw."""
    own = (getattr(widget, "layout", None), getattr(widget, "style", None))
    for part in (*getattr(widget, "children", ()), *own):
        if isinstance(part, ipywidgets.Widget):
            close_all(part)
    widget.close()


def copy_widget(models: SequenceModel | dict[str, SequenceModel], task: CopyingTask, text: str) -> BoundFigure:
    """Type a string, and watch a model copy it token by token.

    Args:
        models: one model, or several by name, of which the reader may choose.
        task: whose alphabet and length the string must fit.
        text: the string at the start; a shorter string than the task's only length is filled up (`fill_up`).
    """
    choices = models if isinstance(models, dict) else {"": models}
    longest = task.config.string_length

    @lru_cache(maxsize=64)
    def traced(name: str, text: str) -> CopyTrace:
        return trace_copy(choices[name], task, text)

    def draw(string: str, written: int, model: str = "") -> go.Figure:
        return draw_copy(traced(model, fill_up(string, task) if string else string), written)

    controls: dict[str, ipywidgets.Widget] = {
        "string": string_box(text, longest, "330px"),
        "written": ipywidgets.IntSlider(
            value=longest + 1,
            min=0,
            max=longest + 1,
            description="tokens written",
            style={"description_width": "initial"},
            layout={"width": "380px"},
        ),
    }
    if len(choices) > 1:
        controls["model"] = ipywidgets.Dropdown(options=list(choices), description="model", layout={"width": "260px"})
    play = ipywidgets.Play(value=longest + 1, min=0, max=longest + 1, interval=350)
    ipywidgets.link((play, "value"), (controls["written"], "value"))
    return BoundFigure(draw, controls, beside=[play])
