"""What a widget says while something long runs: a line of status, and the error where one comes."""

import html
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import ipywidgets


def alert(message: str, lead: str = "") -> str:
    """An error as HTML that a screen reader announces, some words in bold before it."""
    words = f"<b>{lead}</b> {html.escape(message)}" if lead else html.escape(message)
    return f'<span role="alert" style="color:#D55E00">{words}</span>'


@contextmanager
def working(status: ipywidgets.HTML, *controls: ipywidgets.DOMWidget) -> Iterator[None]:
    """Meanwhile the controls cannot be moved. An error is shown in place of the status, and raised again."""
    for control in controls:
        control.disabled = True
    status.value = "starting"
    try:
        yield
    except Exception as error:
        status.value = alert(str(error))
        raise
    finally:
        for control in controls:
            control.disabled = False


def interrupted_words(step: int, steps: int) -> str:
    """Of a training run that was interrupted: it has no outcome."""
    return f"interrupted after step {step} of {steps}: press the button to train anew"


def training_words(last: Mapping[str, float], steps: int) -> str:
    """How far a training run is: its newest evaluation, of so many steps at most."""
    rate = last["step"] / max(last["seconds"], 1e-9)
    return (
        f"step {last['step']:.0f} of {steps}, {rate:.0f} steps/s: "
        f"{last['character_accuracy']:.1%} of letters, {last['string_accuracy']:.1%} of strings"
    )
