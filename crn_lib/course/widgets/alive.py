"""Widgets that compute in the page: the same module in JupyterLab, through anywidget, and in the static edition."""

from typing import Any

import anywidget

from crn_lib.course.frontend import ALIVE_MIME, SHIPPED, WITHOUT_KERNEL, module_text, shipped_row, style_text
from crn_lib.models import SequenceModel


class Alive(anywidget.AnyWidget):
    """A widget of the front-end module named when a class is made of it: `class Copier(Alive, module="copier")`."""

    module: str

    def __init_subclass__(cls, module: str | None = None, **rest: Any) -> None:
        if module:  # not the class that traitlets makes of a widget when it adds traits to it
            cls.module, cls._esm, cls._css = module, module_text(module), style_text(module)
        super().__init_subclass__(**rest)

    def page_state(self) -> dict[str, Any]:
        """What the static edition mounts the module with: `{"carried": name}` stands for the bytes of that file."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        bundle["text/plain"] = WITHOUT_KERNEL
        bundle[ALIVE_MIME] = {"module": self.module, "state": self.page_state()}
        return bundle, metadata


def carried_weights(name: str) -> dict[str, str]:
    """Where a page finds the weights of a model: of a kind that ships, or `line_` and a kind in `LINE_KINDS`."""
    return {"carried": f"{name}.safetensors"}


def shipped_words(kind: str) -> str:
    """What that model is, in words."""
    row = shipped_row(kind)
    strings = row["training"]["steps"] * row["training"]["batch"]
    trained = f"trained on {strings:,} strings of 1 to {row['task']['string_length']} letters"
    note = f"{row['parameters']:,} parameters, {trained}; copies {row['free_running_string_accuracy']:.0%}"
    return f"{note} of new ones whole"


def own_words(model: SequenceModel) -> str:
    """The same of a model of the lesson."""
    return f"{sum(parameter.numel() for parameter in model.parameters()):,} parameters, trained in this lesson"


def require_shipped(kinds: set[str]) -> None:
    """Refuse kinds of model that pages do not run.

    Raises:
        ValueError: one of them is not in `SHIPPED`.
    """
    if unknown := sorted(kinds - set(SHIPPED)):
        raise ValueError(f"a page runs {', '.join(SHIPPED)}; got {', '.join(unknown)}")
