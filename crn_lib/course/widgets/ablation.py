"""Train any variant of the ablations live, its curve beside those of the stored runs of the same variant."""

from collections.abc import Iterable
from typing import Any

import ipywidgets
import plotly.graph_objects as go

from crn_lib.course.figures import BoundFigure
from crn_lib.course.parameters import Settings
from crn_lib.course.status import interrupted_words, training_words, working
from crn_lib.experiments import Variant, ablation_cells, ablation_config
from crn_lib.experiments.ablations import ACTIVATION_NAMES, GRID_ACTIVATIONS
from crn_lib.ops import NORMS
from crn_lib.sweeps import Run
from crn_lib.training import train
from crn_lib.viz import draw_ablation_pair

LENGTHS = (4, 32)
SEEDS = (0, 9)


class AblationRun(ipywidgets.VBox):
    """Controls for a variant, a length and a budget, a button that trains, and a curve that grows beside stored ones.

    Attributes:
        run: the run shown, with only its seed for a row while it trains; `None` before the first.
    """

    def __init__(
        self, settings: Settings, variant: Variant, string_length: int, *, steps: int, runs: Iterable[Run]
    ) -> None:
        self._settings = settings
        self._cells = ablation_cells(runs)
        self.run: Run | None = None
        label = {"style": {"description_width": "initial"}}
        norms = [(norm, (norm, 1)) for norm in NORMS] + [("exact, each half by itself", ("exact", 2))]
        self.norm = ipywidgets.Dropdown(
            options=norms, value=(variant.norm, variant.heads), description="norm to train", **label
        )
        self.post_norm = ipywidgets.Checkbox(value=variant.post_norm, description="post-norm to train", indent=False)
        self.activation = ipywidgets.Dropdown(
            options=[(ACTIVATION_NAMES[name], name) for name in GRID_ACTIVATIONS],
            value=variant.activation,
            description="activation to train",
            **label,
        )
        self.length = ipywidgets.IntSlider(
            value=string_length, min=LENGTHS[0], max=LENGTHS[1], description="letters", **label
        )
        self.steps = ipywidgets.IntSlider(
            value=steps,
            min=min(20, steps),
            max=max(1000, steps),
            step=10,
            description="training steps, at most",
            **label,
        )
        self.seed = ipywidgets.IntSlider(
            value=min(settings.seed, SEEDS[1]), min=SEEDS[0], max=SEEDS[1], description="seed", **label
        )
        self.button = ipywidgets.Button(description="train", button_style="primary", tooltip="train this variant")
        self.progress = ipywidgets.IntProgress(value=0, min=0, max=1, layout={"width": "240px"})
        self.status = ipywidgets.HTML("not started")
        self.figure = BoundFigure(self.draw, {})
        self._choices = (self.norm, self.post_norm, self.activation, self.length, self.steps, self.seed)
        controls = ipywidgets.HBox([*self._choices, self.button], layout={"flex_flow": "row wrap"})
        super().__init__([controls, ipywidgets.HBox([self.progress, self.status]), self.figure])
        for control in self._choices:
            control.observe(self._chosen, names="value")
        self.button.on_click(lambda _: self.train())

    @property
    def variant(self) -> Variant:
        """What the controls say."""
        norm, heads = self.norm.value
        return Variant(norm, self.post_norm.value, self.activation.value, heads)

    @property
    def stored(self) -> tuple[Run, ...]:
        """The stored runs of the variant and length chosen."""
        cell = self._cells.get((self.variant, self.length.value))
        return cell.runs if cell else ()

    def draw(self) -> go.Figure:
        """The run shown beside the stored ones."""
        live = [self.run] if self.run is not None else []
        longest = max([self.steps.value, *(run.row["training"]["steps"] for run in self.stored)])
        return draw_ablation_pair(
            live,
            self.stored,
            (f"now, seed {self.seed.value}", "stored"),
            steps=longest,
            metric="character_accuracy",
            title=f"{self.variant}, {self.length.value} letters",
        )

    def train(self) -> None:
        """What the button does. An error is shown in place of the status, and raised again."""
        with working(self.status, self.button, *self._choices):
            self.progress.max, self.progress.value = self.steps.value, 0
            config = ablation_config(self.variant, self.length.value, steps=self.steps.value, seed=self.seed.value)
            result = train(config, device=self._settings.device, progress=False, on_evaluation=self._grow)
            interrupted = result.stopped == "interrupted"
            if interrupted:
                self.status.value = interrupted_words(result.steps, config.steps)
            self.run = None if interrupted else Run(result.row(), result.history)
            self.figure.draw_anew()

    def _chosen(self, _: Any) -> None:
        """Another variant: its stored runs, and no run of before under its name."""
        self.run = None
        self.status.value, self.progress.value = "not started", 0
        self.figure.draw_anew()

    def _grow(self, history: list[dict[str, float]]) -> None:
        last = history[-1]
        self.run = Run({"seed": self.seed.value}, history)
        self.progress.value = int(last["step"])
        self.status.value = training_words(last, self.progress.max)
        self.figure.draw_anew()
