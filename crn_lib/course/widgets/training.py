"""Choose a model, a length and a budget, train it with a live curve, and then copy a string with it."""

from typing import Any

import ipywidgets

from crn_lib.course.figures import BoundFigure
from crn_lib.course.parameters import Settings
from crn_lib.course.status import interrupted_words, training_words, working
from crn_lib.course.widgets.live import close_all, copy_widget
from crn_lib.models import KINDS, ModelConfig
from crn_lib.tasks import CopyingConfig, CopyingTask
from crn_lib.training import RunResult, TrainConfig, train
from crn_lib.viz import KIND_NAMES, draw_training_curves

EVALUATIONS = 20
"""Points on a curve."""

SHORTEST = 1
"""Letters: the trained model is asked to copy strings shorter than the longest too."""


class TrainingWidget(ipywidgets.VBox):
    """Controls, a button that trains, a curve that grows, and the trained model to play with.

    Attributes:
        result: the last run, `None` before the first and if it was interrupted.
    """

    def __init__(self, settings: Settings, *, width: int, blocks: int, longest: int) -> None:
        self._settings, self._width, self._blocks = settings, width, blocks
        self.result: RunResult | None = None
        label = {"style": {"description_width": "initial"}}
        self.kind = ipywidgets.Dropdown(
            options=[(KIND_NAMES[kind], kind) for kind in KINDS], description="model", **label
        )
        self.length = ipywidgets.IntSlider(value=8, min=2, max=longest, description="letters, at most", **label)
        self.steps = ipywidgets.IntSlider(value=200, min=20, max=1000, step=20, description="training steps", **label)
        self.button = ipywidgets.Button(
            description="train", button_style="primary", tooltip="train with these settings"
        )
        self.progress = ipywidgets.IntProgress(value=0, min=0, max=1, layout={"width": "240px"})
        self.status = ipywidgets.HTML("not started")
        self._figure = BoundFigure(self._draw, {})
        self._copy = ipywidgets.VBox()
        controls = ipywidgets.HBox([self.kind, self.length, self.steps, self.button], layout={"flex_flow": "row wrap"})
        super().__init__([controls, ipywidgets.HBox([self.progress, self.status]), self._figure, self._copy])
        self.button.on_click(lambda _: self.train())

    def _draw(self, history: list[dict[str, float]] | None = None) -> Any:
        histories = {self.kind.value: history} if history else {}
        length = self.length.value
        return draw_training_curves(histories, steps=self.steps.value, string_length=length, shortest=SHORTEST)

    def train(self) -> None:
        """What the button does. An error is shown in place of the status, and raised again."""
        with working(self.status, self.button, self.kind, self.length, self.steps):
            for old in self._copy.children:
                close_all(old)
            self._copy.children = ()
            self.result = None
            steps = self.steps.value
            self.progress.max, self.progress.value = steps, 0
            task = CopyingConfig(string_length=self.length.value, shortest=SHORTEST)
            model = ModelConfig(kind=self.kind.value, width=self._width, blocks=self._blocks, max_length=task.context)
            config = TrainConfig(
                model=model,
                task=task,
                steps=steps,
                learning_rate=3e-3,
                schedule="cosine",
                evaluate_every=max(1, steps // EVALUATIONS),
                seed=self._settings.seed,
            )
            result = train(config, device=self._settings.device, progress=False, on_evaluation=self._grow)
            if result.stopped == "interrupted":
                self.status.value = interrupted_words(result.steps, steps)
                return
            self.result = result
            text = "abcdefghijklmnopqrstuvwxyz"[: self.length.value]
            self._copy.children = (copy_widget(result.model, CopyingTask(task), text),)

    def _grow(self, history: list[dict[str, float]]) -> None:
        last = history[-1]
        self.progress.value = int(last["step"])
        self.status.value = training_words(last, self.steps.value)
        self._figure.redraw(self._draw(history))
