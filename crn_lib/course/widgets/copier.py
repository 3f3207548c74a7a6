"""Type a string and watch models copy it: computed in the page, so that the static edition has it too."""

from collections.abc import Mapping
from typing import Any

import traitlets

from crn_lib.course.frontend import SHIPPED, model_bytes, shipped_model
from crn_lib.course.widgets.alive import Alive, carried_weights, own_words, require_shipped, shipped_words
from crn_lib.models import SequenceModel
from crn_lib.viz import KIND_NAMES
from crn_lib.viz.theme import KIND_COLOURS


class Copier(Alive, module="copier"):
    """Copies what is typed, token by token, with up to three models, and shows what each remembers.

    Args:
        text: the string at the start.
        models: trained models of kinds in `SHIPPED`, by kind, in place of those that ship with the library. The static
            edition shows the latter.

    Raises:
        ValueError: a model of another kind.
    """

    text = traitlets.Unicode().tag(sync=True)
    models = traitlets.List(traitlets.Dict()).tag(sync=True)

    def __init__(self, text: str, models: Mapping[str, SequenceModel] | None = None) -> None:
        own = dict(models or {})
        require_shipped(set(own))
        shown = []
        for kind in SHIPPED:
            about = _about(kind)
            if kind in own:
                about["note"] = own_words(own[kind])
            shown.append({**about, "weights": model_bytes(own[kind]) if kind in own else shipped_model(kind)})
        super().__init__(text=text, models=shown)

    def page_state(self) -> dict[str, Any]:
        """The text, with the models that ship."""
        return copier_state(self.text)


def copier_state(text: str) -> dict[str, Any]:
    """A page's copier: see `Alive.page_state`."""
    return {"text": text, "models": [{**_about(kind), "weights": carried_weights(kind)} for kind in SHIPPED]}


def _about(kind: str) -> dict[str, str]:
    return {"kind": kind, "name": KIND_NAMES[kind], "colour": KIND_COLOURS[kind], "note": shipped_words(kind)}
