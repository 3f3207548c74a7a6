"""Type a string, see whom every letter listens to, drop pairs, move receivers, and see what is copied."""

from typing import Any

import traitlets

from crn_lib.analysis import copy_sources, influence, most_opposed
from crn_lib.analysis.edited_copy import EditedCopy
from crn_lib.course.frontend import model_bytes, shipped_model, shipped_row
from crn_lib.course.widgets.alive import Alive, carried_weights
from crn_lib.models import SequenceModel
from crn_lib.tasks import CopyingTask
from crn_lib.viz.relation_map import RelationMap

RELATION_MAPS = ("correlation", "scale", "share")
KIND = "causal_rn"


def relation_map(
    copy: EditedCopy, task: CopyingTask, block: int, name: str, dropped: dict[tuple[int, int], int]
) -> RelationMap:
    """One of `RELATION_MAPS` of one block, as it was while the text was copied.

    Args:
        dropped: by block and letter the sender that was missing.
    """
    pairs = copy.pairs[block]
    values = influence(pairs).share if name == "share" else getattr(pairs, name)
    seen = pairs.visible
    where = copy_sources(len(copy.text))
    return RelationMap(
        name=name,
        senders=task.decode(copy.tokens),
        wanted=f"{copy.text}>",
        values=[
            [value if visible else None for value, visible in zip(row, sees, strict=True)]
            for row, sees in zip(values[0, 0].tolist(), seen.tolist(), strict=True)
        ],
        sources=where.sources.tolist(),
        chosen=most_opposed(pairs)[0, 0].tolist(),
        written=copy.written,
        dropped=sorted((letter, sender) for (where_, letter), sender in dropped.items() if where_ == block),
    )


class RelationWidget(Alive, module="relation_map"):
    """The relation maps of a CausalRN, and of the one that ships, for the string typed: drop pairs, move receivers.

    Args:
        model: trained on `task`: a causal RN with the exact norm and exp, and letters a to z.
        text: the string at the start. The static edition shows the model that ships alone.

    Raises:
        ValueError: a model that a page does not run.
    """

    text = traitlets.Unicode().tag(sync=True)
    models = traitlets.List(traitlets.Dict()).tag(sync=True)
    colour = traitlets.Unicode("correlation").tag(sync=True)

    def __init__(self, model: SequenceModel, task: CopyingTask, text: str) -> None:
        config = model.config
        if (config.kind, config.norm, config.activation) != (KIND, "exact", "exp") or task.config.vocab != 26:
            raise ValueError("relation maps in a page are of a causal_rn, norm exact, activation exp, letters a to z")
        length = None if task.config.shortest else task.config.string_length
        words = f"{length} letters" if length else f"{task.config.shortest} to {task.config.string_length} letters"
        own = {"name": f"trained in this lesson, {words}", "length": length, "weights": model_bytes(model)}
        super().__init__(text=text, models=[own, {**_shipped(), "weights": shipped_model(KIND)}])

    def page_state(self) -> dict[str, Any]:
        """The text, with the model that ships: in its lookup many pairs cancel nearly, and scales tell them apart."""
        return {"text": self.text, "models": [{**_shipped(), "weights": carried_weights(KIND)}], "colour": "scale"}


def _shipped() -> dict[str, Any]:
    row = shipped_row(KIND)
    words = f"{row['task']['shortest']} to {row['task']['string_length']} letters"
    return {"name": f"a small one that ships with the library, {words}", "length": None}
