"""Type a string and watch models copy it: computed in the page, so that the static edition has it too."""

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from crn_lib.course.frontend import SHIPPED, model_bytes, module_text, shipped_model, shipped_row, style_text
from crn_lib.models import SequenceModel
from crn_lib.viz import KIND_NAMES
from crn_lib.viz.theme import KIND_COLOURS

ALIVE_MIME = "application/vnd.crn-alive+json"
"""What a stored lesson keeps of a control that computes in the page: its module, and the state to mount it with."""


class Copier(anywidget.AnyWidget):
    """Copies what is typed, token by token, with up to three models, and shows what each remembers.

    Args:
        text: the string at the start.
        models: trained models of kinds in `SHIPPED`, by kind, in place of those that ship with the library. The static
            edition shows the latter.

    Raises:
        ValueError: a model of another kind.
    """

    _esm = module_text("copier")
    _css = style_text("copier")
    text = traitlets.Unicode().tag(sync=True)
    models = traitlets.List(traitlets.Dict()).tag(sync=True)

    def __init__(self, text: str, models: Mapping[str, SequenceModel] | None = None) -> None:
        own = dict(models or {})
        if unknown := sorted(set(own) - set(SHIPPED)):
            raise ValueError(f"a page runs {', '.join(SHIPPED)}; got {', '.join(unknown)}")
        shown = []
        for kind in SHIPPED:
            about = _shipped(kind)
            if kind in own:
                count = sum(parameter.numel() for parameter in own[kind].parameters())
                about |= {"note": f"{count:,} parameters, trained in this lesson"}
            shown.append({**about, "weights": model_bytes(own[kind]) if kind in own else shipped_model(kind)})
        super().__init__(text=text, models=shown)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        bundle["text/plain"] = "A copier stands here: run this cell, or open the static edition."
        bundle[ALIVE_MIME] = {"module": "copier", "state": page_state(self.text)}
        return bundle, metadata


def page_state(text: str) -> dict[str, Any]:
    """What the static edition mounts the module with: `{"carried": name}` stands for the bytes of that file."""
    return {"text": text, "models": [{**_shipped(k), "weights": {"carried": f"{k}.safetensors"}} for k in SHIPPED]}


def _shipped(kind: str) -> dict[str, str]:
    row = shipped_row(kind)
    strings = row["training"]["steps"] * row["training"]["batch"]
    trained = f"trained on {strings:,} strings of 1 to {row['task']['string_length']} letters"
    copied = f"copies {row['free_running_string_accuracy']:.0%} of new ones whole"
    note = f"{row['parameters']:,} parameters, {trained}; {copied}"
    return {"kind": kind, "name": KIND_NAMES[kind], "colour": KIND_COLOURS[kind], "note": note}
