"""Memories of all kinds of model that fill token by token."""

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from crn_lib.course.widgets.alive import Alive
from crn_lib.viz import KIND_NAMES
from crn_lib.viz.theme import KIND_COLOURS

BOX = 1024
"""Bytes of a box."""


class MemoryBoxes(Alive, module="memory"):
    """Boxes that fill while tokens come in, for every kind in the rows, with the bytes counted.

    Args:
        rows: as `crn_lib.experiments.memory.decode` yields them, of every length from 1 to `tokens` for each kind.
        tokens: how far it goes.

    Raises:
        ValueError: a length is missing.
    """

    kinds = traitlets.List(traitlets.Dict()).tag(sync=True)
    box = traitlets.Int(BOX).tag(sync=True)

    def __init__(self, rows: Sequence[Mapping[str, Any]], tokens: int = 128) -> None:
        shown = []
        for kind in dict.fromkeys(row["kind"] for row in rows):
            own = {row["length"]: row for row in rows if row["kind"] == kind}
            if missing := [length for length in range(1, tokens + 1) if length not in own]:
                raise ValueError(f"{kind} has no row of {missing[0]} tokens")
            bytes_of = {name: [own[length][name] for length in range(1, tokens + 1)] for name in ("used", "allocated")}
            shown.append({"name": KIND_NAMES[kind], "colour": KIND_COLOURS[kind], **bytes_of})
        super().__init__(kinds=shown)

    def page_state(self) -> dict[str, Any]:
        """The same."""
        return {"kinds": self.kinds, "box": self.box}
