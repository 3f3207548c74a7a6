"""Predict, then run: the reader commits a guess before the cell that answers, and sees both side by side."""

import html
from collections.abc import Sequence

import ipywidgets
from IPython.display import display

from crn_lib.course.cards import Card
from crn_lib.course.reachable import Reachable


class Prediction:
    """A question with a control. Made by `predict` or `predict_choice`; answered by `reveal`."""

    def __init__(self, question: str, control: ipywidgets.Widget, unit: str, span: tuple[float, float] | None) -> None:
        self.question, self.unit = question, unit
        words = ipywidgets.HTML(f"<b>Your guess.</b> {html.escape(question)}")
        self.widget = ipywidgets.VBox([words, control, Reachable()])
        self._control, self._span = control, span

    @property
    def guess(self) -> float | str:
        """The control's value: what the reader set, or the default."""
        value: float | str = self._control.value
        return value

    def reveal(self, measured: float | str | Sequence[str], *, called: str = "measured") -> None:
        """Close the control and show the guess beside what was measured.

        Args:
            measured: the number or the answer; several answers are a tie, of which each is right.
            called: what stands before it, where it was argued and not measured.
        """
        self._control.disabled = True
        guess = self.guess
        if not isinstance(measured, float | int | str):
            tied = list(measured)
            measured = tied[0] if len(tied) == 1 else f"{', '.join(tied[:-1])} and {tied[-1]}, a tie"
        else:
            tied = [str(measured)]
        if self._span is None:
            agrees = guess in tied
            verdict = "as you said" if agrees else "not as you said"
        else:
            difference = float(measured) - float(guess)
            agrees = abs(difference) <= 0.1 * (self._span[1] - self._span[0])
            points = " points" if self.unit == "%" else ""
            verdict = f"{abs(difference):.3g}{points} {'more' if difference > 0 else 'less'} than you said"
            verdict = "exactly as you said" if difference == 0 else verdict
        shown = [("your guess", guess), (called, measured)]
        lines = "".join(self._line(name, value) for name, value in shown)
        plain = "; ".join(f"{name}: {_number(value)} {self.unit}".strip() for name, value in shown)
        Card(self.question, f"{lines}<div>{verdict}</div>", plain, "right" if agrees else "ask").show()

    def _line(self, name: str, value: float | str) -> str:
        bar = ""
        if self._span is not None:
            low, high = self._span
            share = min(max((float(value) - low) / (high - low), 0.0), 1.0)
            bar = (
                '<span style="display:inline-block;width:260px;height:10px;border:1px solid #767c85;margin:0 10px">'
                f'<span style="display:block;width:{share:.0%};height:10px;background:#0072B2"></span></span>'
            )
        return (
            f'<div><span style="display:inline-block;width:6.5em">{name}</span>{bar}'
            f"{html.escape(_number(value))} {html.escape(self.unit)}</div>"
        )


def predict(question: str, *, low: float, high: float, default: float, unit: str = "", step: float = 1) -> Prediction:
    """Ask for a number with a slider. Where nobody moves it, `default` is the guess.

    Args:
        question: one sentence.
        low, high, step: the slider's.
        unit: written behind the number.
    """
    whole = all(float(x).is_integer() for x in (low, high, step, default))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    slider = kind(
        value=default, min=low, max=high, step=step, description=unit[:20], layout={"width": "460px"}, readout=True
    )
    prediction = Prediction(question, slider, unit, (low, high))
    display(prediction.widget)
    return prediction


def predict_choice(question: str, *, options: Sequence[str], default: str) -> Prediction:
    """Ask for one of several answers. Where nobody chooses, `default` is the guess."""
    buttons = ipywidgets.RadioButtons(options=list(options), value=default, layout={"width": "max-content"})
    prediction = Prediction(question, buttons, "", None)
    display(prediction.widget)
    return prediction


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
