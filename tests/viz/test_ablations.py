"""Lesson 07: the grid and the pairs it draws, its live run."""

import ipywidgets
import plotly.graph_objects as go
import pytest

from crn_lib.course import AblationRun, bind
from crn_lib.course.figures import BoundFigure
from crn_lib.course.parameters import Settings
from crn_lib.experiments import GRID, Variant, ablation_cells
from crn_lib.ops import NORMS
from crn_lib.viz import describe, draw_ablation_pair, draw_ablations, draw_multiples
from tests.course.messages import IN_PLACE, messages
from tests.experiments.ablation_cases import STEPS, made_up_grid, made_up_run

EXP, RELU, GELU = (Variant("exact", True, name) for name in ("exp", "relu", "gelu"))
SETTINGS = Settings("smoke", 0, "cpu")


def solves(variant: Variant, seed: int) -> int | None:
    return {EXP: 100 + 50 * seed, GELU: 400}.get(variant) if variant != GELU or seed else None


RUNS = made_up_grid(solves, seeds=3)
CELLS = ablation_cells(RUNS)


def texts(figure: go.Figure, panel: int = 0) -> dict[tuple[str, str], str]:
    """What stands in the cells of a panel, by place and activation."""
    axis = f"y{panel + 1}" if panel else "y"
    return {
        (y, x): text
        for trace in figure.data
        if trace.type == "scatter" and trace.yaxis == axis
        for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)
    }


def test_the_grid_says_how_many_seeds_copied_how_soon_and_how_far() -> None:
    figure = draw_ablations(RUNS)
    for panel in (0, 1):
        found = texts(figure, panel)
        assert len(found) == len(GRID)
        assert found["exact + post-norm", "exp"] == "<b>3 of 3</b><br>100–200<br>steps"
        assert found["exact + post-norm", "GELU"] == "<b>2 of 3</b><br>400<br>steps"
        assert found["none", "ELU"] == "<b>0 of 3</b><br>40%<br>letters"
    words = describe(figure)
    assert "4 blocks of width 64; 3 seeds; cpu, float32" in figure.layout.title.text
    assert (
        "16 letters, at most 600 steps: 1 of 36 variants copy in every seed" in words
        and "exact + post-norm · GELU: 2 of 3" in words
    )
    first = next(trace for trace in figure.data if trace.type == "heatmap")
    colours = dict(zip(zip(first.y, first.x, strict=True), first.z, strict=True))
    assert colours["exact + post-norm", "exp"] == 1.0 and colours["none", "ELU"] == 0.4


def test_a_cell_without_a_run_says_so_and_a_diverged_one_too() -> None:
    figure = draw_ablations([made_up_run(EXP, 16, 0, 100), made_up_run(RELU, 16, 0, None, diverged=True)])
    found = texts(figure)
    assert found["exact + post-norm", "exp"] == "<b>1 of 1</b><br>100<br>steps"
    assert found["exact + post-norm", "ReLU"] == "<b>0 of 1</b><br>diverged"
    assert list(found.values()).count("no row yet") == len(GRID) - 2
    assert set(texts(figure, 1).values()) == {"no row yet"} and "36 variants have no row yet" in describe(figure)
    assert set(texts(draw_ablations([])).values()) == {"no row yet"}


def pair_widget() -> BoundFigure:
    names = {str(variant): variant for variant in GRID}

    def draw(first: str, second: str, letters: int, curves: str) -> go.Figure:
        sets = (CELLS[names[name], letters].runs for name in (first, second))
        return draw_ablation_pair(*sets, (first, second), metric=curves, steps=STEPS)

    return bind(
        draw,
        first=ipywidgets.Dropdown(options=list(names), value=str(EXP)),
        second=ipywidgets.Dropdown(options=list(names), value=str(GELU)),
        letters=ipywidgets.SelectionSlider(options=(16, 32)),
        curves=ipywidgets.Dropdown(options=["character_accuracy", "string_accuracy"]),
    )


def test_every_pair_of_variants_is_drawn_with_one_message_to_the_browser() -> None:
    bound = pair_widget()
    second = bound.controls["second"]
    for name in map(str, GRID[1:]):
        assert messages(bound.figure, lambda name=name: second.set_trait("value", name)) == IN_PLACE
        assert name in bound.figure.layout.title.text and bound.error.value == ""


def test_a_pair_shows_a_curve_a_seed_and_the_range_of_the_ends() -> None:
    bound = pair_widget()
    curves, ends = bound.figure.data[2], bound.figure.data[3]
    assert list(curves.x).count(None) == 3 and {"seed 0", "seed 1", "seed 2"} == set(curves.text)
    assert list(ends.y) == [1.0], "the median of the three seeds"
    assert (list(ends.error_y.arrayminus), list(ends.error_y.array)) == ([0.6], [0.0])
    assert "2 of 3 copy after 400 steps, 40–100% at the end" in describe(bound.figure)
    bound.controls["curves"].value = "string_accuracy"
    assert max(y for y in bound.figure.data[2].y[:8] if y is not None) == 0.0, "seed 0 copied no string"
    assert bound.figure.layout.yaxis.title.text == "strings right"
    assert bound.figure.data[0].marker.symbol != bound.figure.data[2].marker.symbol


def test_a_pair_with_nothing_to_show_says_so_and_stands_among_others() -> None:
    empty = draw_ablation_pair((), CELLS[EXP, 16].runs, ("a", "b"), steps=STEPS)
    assert "a: no row yet" in describe(empty) and len(empty.data[0].x) == 0 and not empty.layout.annotations
    (note,) = draw_ablation_pair((), (), ("a", "b"), steps=STEPS).layout.annotations
    assert note.text == "no row yet"
    panels = draw_multiples(
        lambda second: draw_ablation_pair(CELLS[EXP, 16].runs, CELLS[second, 16].runs, ("a", "b"), steps=STEPS),
        {str(second): {"second": second} for second in (RELU, GELU)},
    )
    assert len(panels.data) == 8


def test_what_is_almost_all_is_not_written_as_all() -> None:
    almost = [made_up_run(RELU, 16, seed, None, letters=letters) for seed, letters in enumerate((0.41, 0.9996))]
    assert texts(draw_ablations(almost))["exact + post-norm", "ReLU"] == "<b>0 of 2</b><br>41–99.9%<br>letters"
    assert texts(draw_ablations(almost[1:]))["exact + post-norm", "ReLU"] == "<b>0 of 1</b><br>99.9%<br>letters"


def test_the_live_run_trains_what_is_chosen_and_stands_beside_its_stored_runs() -> None:
    live = AblationRun(SETTINGS, EXP, 16, steps=4, runs=RUNS)
    assert live.run is None and len(live.stored) == 3
    assert "now, seed 0: no row yet" in describe(live.figure.figure)
    live.norm.value, live.post_norm.value, live.activation.value = ("none", 1), False, "softplus"
    live.length.value, live.seed.value = 5, 7
    assert live.stored == () and "none · softplus, 5 letters. now, seed 7: no row yet" in describe(live.figure.figure)
    live.button.click()
    assert live.run is not None and live.run.row["steps"] == 4
    assert (Variant.of(live.run.row), live.run.row["seed"]) == (Variant("none", False, "softplus"), 7)
    assert live.run.string_length == 5 and "now, seed 7: 0 of 1 copy" in describe(live.figure.figure)
    assert live.status.value.startswith("step 4 of 4") and live.progress.value == 4
    live.activation.value = "elu"
    assert live.run is None and live.status.value == "not started", "no run under another variant's name"


def test_an_interrupted_run_is_said_and_shown_as_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    live = AblationRun(SETTINGS, EXP, 4, steps=40, runs=())
    grow = live._grow

    def interrupt(history: list[dict[str, float]]) -> None:
        grow(history)
        raise KeyboardInterrupt

    monkeypatch.setattr(live, "_grow", interrupt)
    live.train()
    assert live.status.value.startswith("interrupted after step ") and live.run is None
    assert "now, seed 0: no row yet" in describe(live.figure.figure) and not live.button.disabled


def test_every_norm_can_be_chosen_and_halves_too() -> None:
    live = AblationRun(SETTINGS, EXP, 4, steps=1, runs=())
    assert [value for _, value in live.norm.options] == [*((norm, 1) for norm in NORMS), ("exact", 2)]
    live.norm.value = ("exact", 2)
    live.train()
    assert live.run is not None and live.run.row["model"]["heads"] == 2


def test_a_variant_cannot_be_changed_while_it_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    live = AblationRun(SETTINGS, EXP, 4, steps=1, runs=())
    controls = (live.norm, live.post_norm, live.activation, live.length, live.steps, live.seed, live.button)

    def fail(*_: object, **__: object) -> None:
        assert all(control.disabled for control in controls)
        raise RuntimeError("out of paper")

    monkeypatch.setattr("crn_lib.course.widgets.ablation.train", fail)
    with pytest.raises(RuntimeError, match="out of paper"):
        live.train()
    assert not any(control.disabled for control in controls)


def test_an_error_while_training_is_shown_and_raised() -> None:
    live = AblationRun(Settings("smoke", 0, "nowhere"), EXP, 4, steps=1, runs=())
    with pytest.raises(ValueError, match="device must be"):
        live.train()
    assert 'role="alert"' in live.status.value and not live.button.disabled
