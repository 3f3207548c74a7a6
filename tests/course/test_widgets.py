"""Widgets: every setting of every control is drawn, what is drawn changes, and an error is shown and raised."""

import gc
import itertools
import subprocess
import sys
import threading
import time
import weakref
from typing import Any

import ipywidgets
import plotly.graph_objects as go
import pytest
import torch

from crn_lib.config import ConfigError
from crn_lib.course import TrainingWidget, begin, bind, copy_widget, fill_up, predict, predict_choice, quiz, train_live
from crn_lib.course.figures import PLOTLY_MIME, show
from crn_lib.models import ModelConfig, build_model
from crn_lib.tasks import CopyingConfig, CopyingTask
from crn_lib.training import TrainConfig
from crn_lib.viz import describe, draw_state_against_length
from tests.course.messages import messages
from tests.waiting import wait_until

TASK = CopyingTask(CopyingConfig(string_length=6, shortest=1))


def tiny_model(kind: str = "causal_rn", seed: int = 0):  # type: ignore[no-untyped-def]
    config = ModelConfig(kind=kind, width=8, blocks=1, max_length=TASK.config.context)
    return build_model(config, generator=torch.Generator().manual_seed(seed))


def draw_power(base: float, exponent: int) -> go.Figure:
    if exponent == 13:
        raise ValueError("13 brings bad luck")
    figure = go.Figure(layout={"meta": {"description": f"{base} to {exponent}"}})
    for _ in range(1 + exponent % 2):  # the number of traces changes too
        figure.add_scatter(x=[0, 1], y=[base, base**exponent])
    return figure


def draw_kind(kind: str) -> go.Figure:
    """Two traces of one type, which have other properties for each kind."""
    figure = go.Figure(layout={"meta": {"description": kind}})
    if kind == "bound":
        return figure.add_scatter(x=[0, 1], y=[0, 1], hoverinfo="skip", showlegend=False, line={"dash": "dot"})
    return figure.add_scatter(x=[0, 1], y=[1, 2], name="model", error_y={"array": [1, 1]}, marker={"size": 9})


def test_a_bound_figure_keeps_no_property_of_the_figure_before() -> None:
    """Else a model has no entry in the legend where a rule was drawn before it, and the rule a model's error bars."""
    kind = ipywidgets.Dropdown(options=["bound", "model"])
    bound = bind(draw_kind, kind=kind)
    for name in ("model", "bound", "model"):
        kind.value = name
        (shown,), (fresh,) = (figure.to_plotly_json()["data"] for figure in (bound.figure, draw_kind(name)))
        assert {key for key, value in shown.items() if value != {} and key != "uid"} == set(fresh)


def drawn(bound: Any) -> list[list[float]]:
    return [list(trace.y) for trace in bound.figure.data]


def test_a_bound_figure_shows_what_a_fresh_drawing_would_for_every_setting() -> None:
    controls = {"base": ipywidgets.FloatSlider(value=2), "exponent": ipywidgets.IntSlider(value=2, max=9)}
    bound = bind(draw_power, **controls)
    for base, exponent in itertools.product((1.0, 3.0), range(5)):
        controls["base"].value, controls["exponent"].value = base, exponent
        fresh = draw_power(base, exponent)
        assert drawn(bound) == [list(trace.y) for trace in fresh.data]
        assert describe(fresh) in bound.caption.value


def test_of_two_changes_handled_at_once_the_newer_stays() -> None:
    """JupyterLab has the kernel's main thread handle the first controls moved, and another thread those after them."""
    slider = ipywidgets.IntSlider(value=0, max=9)

    def draw_slowly(base: int) -> go.Figure:
        if base == 1:
            wait_until(lambda: slider.value == 2)
            time.sleep(0.05)  # in which the other thread would have drawn
        return draw_power(base, 0)

    bound = bind(draw_slowly, base=slider)
    older = threading.Thread(target=lambda: slider.set_trait("value", 1))
    older.start()
    wait_until(lambda: slider.value == 1)
    slider.value = 2
    older.join()
    assert drawn(bound) == [list(trace.y) for trace in draw_power(2, 0).data]


def test_where_the_number_of_traces_changes_the_browser_gets_the_layout_last() -> None:
    """Else a title names what is not drawn yet, for as long as a busy browser takes to draw it."""
    exponent = ipywidgets.IntSlider(value=0, min=0, max=3)
    bound = bind(draw_power, base=ipywidgets.FloatText(value=2), exponent=exponent)
    sent = messages(bound.figure, lambda: exponent.set_trait("value", 1))
    assert sent == ["_py2js_deleteTraces", "_py2js_addTraces", "_py2js_update"]


def test_the_first_widget_of_a_lesson_reads_no_grammars() -> None:
    program = "import crn_lib.course, plotly.graph_objects as go, sys; go.FigureWidget(); print('lark' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_an_error_while_drawing_is_shown_and_raised_and_the_next_drawing_clears_it() -> None:
    slider = ipywidgets.IntSlider(value=2, max=20)
    bound = bind(draw_power, base=ipywidgets.FloatSlider(value=2), exponent=slider)
    before = drawn(bound)
    with pytest.raises(ValueError, match="bad luck"):
        slider.value = 13
    assert "bad luck" in bound.error.value and drawn(bound) == before
    slider.value = 3
    assert bound.error.value == "" and drawn(bound) != before


def test_lesson_01s_widget_draws_every_state_and_length() -> None:
    numbers = ipywidgets.SelectionSlider(options=[1, 8, 256], value=8)
    length = ipywidgets.SelectionSlider(options=[4, 128, 512], value=128)
    bits = ipywidgets.SelectionSlider(options=[8, 64], value=8)
    bound = bind(draw_state_against_length, numbers=numbers, bits_per_number=bits, string_length=length)
    titles = set()
    for numbers.value, length.value, bits.value in itertools.product((1, 8, 256), (4, 128, 512), (8, 64)):
        titles.add(bound.figure.layout.title.text)
    assert len(titles) == 18


def test_the_copy_widget_follows_text_slider_and_model() -> None:
    widget = copy_widget({"one": tiny_model(seed=1), "other": tiny_model(seed=2)}, TASK, "abc")
    text, written, model = (widget.controls[name] for name in ("string", "written", "model"))
    for count in range(5):
        written.value = count
        assert f"{min(count, 4)} of 4 tokens written" in widget.figure.layout.title.text
        assert sum(p > 0 for p in widget.figure.data[0].y) == count
    first = list(widget.figure.data[0].y)
    model.value = "other"
    assert list(widget.figure.data[0].y) != first
    text.value = "fedcba"
    assert [cell[3] for cell in widget.figure.data[1].text[1]] == [*"fedcba", "&"]  # `<b>f</b>`, EOS is `&gt;`


@pytest.mark.parametrize("bad", ["ABC", "abcdefg", "", "a b", "é"])
def test_the_copy_widget_refuses_what_cannot_be_copied(bad: str) -> None:
    widget = copy_widget(tiny_model(), TASK, "abc")
    with pytest.raises(ConfigError):
        widget.controls["string"].value = bad
    assert "Cannot draw this" in widget.error.value


def test_the_training_widget_trains_what_is_chosen_and_offers_it_for_copying() -> None:
    widget = TrainingWidget(begin(profile="smoke", seed=0, device="cpu"), width=8, blocks=1, longest=8)
    widget.kind.value, widget.length.value, widget.steps.value = "lstm", 3, 40
    widget.button.click()
    assert widget.result is not None and widget.result.steps == 40
    assert widget.result.config.model.kind == "lstm" and widget.result.config.task.string_length == 3
    assert "step 40 of 40" in widget.status.value and widget.progress.value == 40
    assert list(widget._figure.figure.data[0].x)[-1] == 40
    (copier,) = widget._copy.children
    assert copier.controls["string"].value == "abc" and not widget.button.disabled


def test_the_training_widget_shows_a_failure_and_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        assert all(control.disabled for control in controls), "what is trained is what the controls say"
        raise RuntimeError("out of paper")

    monkeypatch.setattr("crn_lib.course.widgets.training.train", fail)
    widget = TrainingWidget(begin(profile="smoke", seed=0, device="cpu"), width=8, blocks=1, longest=8)
    controls = (widget.kind, widget.length, widget.steps, widget.button)
    with pytest.raises(RuntimeError, match="out of paper"):
        widget.train()
    assert not any(control.disabled for control in controls)
    assert "out of paper" in widget.status.value and not widget.button.disabled


def test_an_interrupted_training_is_said_and_offers_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = TrainingWidget(begin(profile="smoke", seed=0, device="cpu"), width=8, blocks=1, longest=8)
    widget.kind.value, widget.length.value, widget.steps.value = "lstm", 3, 40
    grow, seen = widget._grow, []

    def interrupt(history: list[dict[str, float]]) -> None:
        grow(history)
        seen.append(history[-1]["step"])
        if len(seen) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(widget, "_grow", interrupt)
    widget.train()
    assert widget.status.value == f"interrupted after step {seen[-1]:.0f} of 40: press the button to train anew"
    assert widget.result is None and not widget._copy.children and not widget.button.disabled


def test_a_model_that_is_trained_again_leaves_no_widget_and_no_model_behind() -> None:
    widget = TrainingWidget(begin(profile="smoke", seed=0, device="cpu"), width=8, blocks=1, longest=8)
    widget.kind.value, widget.length.value, widget.steps.value = "lstm", 3, 20
    widget.train()
    assert widget.result is not None
    first = weakref.ref(widget.result.model)
    kept = len(ipywidgets.widgets.widget._instances)
    widget.train()
    gc.collect()
    assert len(ipywidgets.widgets.widget._instances) == kept and first() is None


def test_training_live_leaves_a_static_figure_with_every_curve(capsys: pytest.CaptureFixture[str]) -> None:
    def config(kind: str) -> TrainConfig:
        model = ModelConfig(kind=kind, width=8, blocks=1, max_length=TASK.config.context)
        return TrainConfig(model=model, task=TASK.config, steps=4, batch=4, evaluate_every=2, evaluation_strings=8)

    runs = train_live([config("causal_rn"), config("lstm")], device="cpu")
    assert {kind: run.steps for kind, run in runs.items()} == {"causal_rn": 4, "lstm": 4}
    shown = capsys.readouterr().out
    assert PLOTLY_MIME in shown and "strings of 1 to 6 letters. CausalRN ends at" in shown


def test_a_shown_figure_carries_its_description_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    figure = draw_state_against_length(8, 32, 128)
    show(figure)
    assert describe(figure) in capsys.readouterr().out and len(describe(figure)) > 40


def test_a_prediction_shows_guess_and_measurement_and_closes(capsys: pytest.CaptureFixture[str]) -> None:
    asked = predict("How many?", low=0, high=10, default=4, unit="letters")
    asked.widget.children[1].value = 7
    asked.reveal(9)
    shown = capsys.readouterr().out
    assert "your guess: 7 letters; measured: 9 letters" in shown and "2 more than you said" in shown
    assert asked.widget.children[1].disabled


def test_what_was_argued_and_not_measured_is_not_called_measured(capsys: pytest.CaptureFixture[str]) -> None:
    predict_choice("Which?", options=["left", "right"], default="left").reveal("left", called="we would say")
    shown = capsys.readouterr().out
    assert "your guess: left; we would say: left" in shown and "measured" not in shown


def test_a_difference_of_two_percentages_is_in_points(capsys: pytest.CaptureFixture[str]) -> None:
    predict("How many?", low=0, high=100, default=50, unit="%").reveal(43)
    assert ">7 points less than you said<" in capsys.readouterr().out


def test_a_choice_says_whether_it_was_right(capsys: pytest.CaptureFixture[str]) -> None:
    asked = predict_choice("Which?", options=["left", "right"], default="left")
    asked.reveal("right")
    assert "not as you said" in capsys.readouterr().out


def test_of_several_right_answers_each_is_as_the_reader_said(capsys: pytest.CaptureFixture[str]) -> None:
    for guess, verdict in (("b", ">as you said<"), ("c", ">as you said<"), ("a", ">not as you said<")):
        asked = predict_choice("Which?", options=["a", "b", "c"], default=guess)
        asked.reveal(["b", "c"])
        shown = capsys.readouterr().out
        assert f"your guess: {guess}; measured: b and c, a tie" in shown and verdict in shown


def test_a_quiz_marks_the_computed_answer_alone_as_right(capsys: pytest.CaptureFixture[str]) -> None:
    quiz("1 + 1?", ["1", "2", "3"], answer=str(1 + 1), why="Count <both>.")
    shown = capsys.readouterr().out
    assert shown.count("<b>Right.</b>") == 1 and shown.count("<b>No.</b>") == 2
    assert ">2</summary>" in shown.split("<b>Right.</b>")[0].rsplit("<details", 1)[1]
    assert "&lt;both&gt;" in shown


def test_a_quiz_whose_computed_answer_is_no_option_is_an_error() -> None:
    with pytest.raises(ValueError, match="'4'"):
        quiz("1 + 1?", ["1", "2"], answer="4", why="")


def test_a_short_string_is_filled_up_only_where_one_length_is_known() -> None:
    fixed = CopyingTask(CopyingConfig(string_length=6))
    assert fill_up("abc", fixed) == "abczyx"
    assert fill_up("abcdef", fixed) == "abcdef"
    assert fill_up("abc", TASK) == "abc"
    assert fill_up("a", CopyingTask(CopyingConfig(string_length=4, vocab=2))) == "abab"
