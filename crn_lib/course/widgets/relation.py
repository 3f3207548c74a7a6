"""Type a string, see whom every letter listens to in a block, click a pair away or move the receivers, and see what is
copied then."""

from typing import Any

import ipywidgets
import plotly.graph_objects as go

from crn_lib.analysis import copy_sources, influence, most_opposed
from crn_lib.analysis.edited_copy import EditedCopy, Moved, copy_without
from crn_lib.course.figures import BoundFigure
from crn_lib.course.widgets.live import fill_up, string_box
from crn_lib.models import SequenceModel
from crn_lib.tasks import CopyingTask
from crn_lib.tasks.copying import FIRST_LETTER
from crn_lib.viz.relation_map import MAP_NAMES, RelationMap, draw_relation_view

RELATION_MAPS = ("correlation", "scale", "share")
EVERY_PAIR = 4
"""Number of the trace of `draw_relation_view` with one point a pair."""

FARTHEST = 3
"""Rows that the receivers can be moved by, either way."""


def other_text(text: str, task: CopyingTask) -> str:
    """A string of the same length that differs in every letter: half the alphabet on.

    Raises:
        ConfigError: text outside the task's alphabet or length.
    """
    letters, vocab = task.encode(text) - FIRST_LETTER, task.config.vocab
    return task.decode((letters + vocab // 2) % vocab + FIRST_LETTER)


def letters_followed(copied: EditedCopy, shift: int) -> str:
    """How many of the rows that were moved write the letter that much further, as in `11 of 11`."""
    wanted = {row: row + shift for row in range(len(copied.text)) if 0 <= row + shift < len(copied.text)}
    return f"{sum(copied.written[row] == copied.text[to] for row, to in wanted.items())} of {len(wanted)}"


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


class RelationWidget(BoundFigure):
    """Controls above the relation map of a block, and the pairs of one letter below it.

    A click on a pair drops it in this block, or brings it back; the model then copies the string anew. A letter has one
    dropped pair a block at most. Hovering a pair looks at its letter. A slider gives every row, in blocks 0 and 1, the
    receiver of the row so many further, its own string's or another's.

    Attributes:
        dropped: by block and letter (counted from 0) the position of the sender that is missing.
    """

    def __init__(self, model: SequenceModel, task: CopyingTask, text: str) -> None:
        self._model, self._task = model, task
        self.dropped: dict[tuple[int, int], int] = {}
        longest = task.config.string_length
        label = {"style": {"description_width": "initial"}}
        controls: dict[str, ipywidgets.Widget] = {
            "string": string_box(text, longest, "260px"),
            "block": ipywidgets.IntSlider(value=0, min=0, max=len(model.blocks) - 1, description="block", **label),
            "shown": ipywidgets.SelectionSlider(
                options=[(MAP_NAMES[name], name) for name in RELATION_MAPS],
                description="colour shows",
                layout={"width": "400px", "margin": "2px 16px 2px 2px"},
                **label,
            ),
            "letter": ipywidgets.IntSlider(
                value=1,
                min=1,
                max=longest + 1,
                description="looked at (number of the token)",
                layout={"width": "400px"},
                **label,
            ),
        }
        farthest = min(FARTHEST, longest - 1)
        controls["shift"] = ipywidgets.IntSlider(
            value=0,
            min=-farthest,
            max=farthest,
            description="receivers of the row so many further",
            continuous_update=False,
            layout={"width": "400px"},
            **label,
        )
        controls["other"] = ipywidgets.Checkbox(
            value=False, description="receivers of another string", indent=False, layout={"width": "240px"}
        )
        self.drop_opposed = ipywidgets.Button(description="drop the ring", tooltip="drop the most anti-aligned sender")
        self.drop_all = ipywidgets.Button(
            description="drop all rings", tooltip="the same for every token of this block"
        )
        self.restore = ipywidgets.Button(description="restore all", tooltip="bring every pair back")
        self._copies: dict[Any, EditedCopy] = {}
        super().__init__(self._map, controls, beside=[self.drop_opposed, self.drop_all, self.restore])
        pairs = self.figure.data[EVERY_PAIR]
        pairs.on_click(self._clicked)
        pairs.on_hover(self._hovered)
        self.drop_opposed.on_click(lambda _: self._drop_rings([controls["letter"].value - 1]))
        self.drop_all.on_click(lambda _: self._drop_rings(range(longest + 1)))
        self.restore.on_click(lambda _: self._drop({}))

    @property
    def copy(self) -> EditedCopy:
        """The string as it is copied now."""
        text = fill_up(self.controls["string"].value, self._task) if self.controls["string"].value else ""
        shift, other = self.controls["shift"].value, self.controls["other"].value
        key = (text, tuple(sorted(self.dropped.items())), shift, other)
        if key not in self._copies:
            donor = other_text(text, self._task) if other else text
            moved = Moved(shift, donor) if shift or other else None
            self._copies = {key: copy_without(self._model, self._task, text, self.dropped, moved)}
        return self._copies[key]

    def toggle(self, letter: int, sender: int) -> None:
        """Drop this pair in the block that is shown, or bring it back."""
        place = (self.controls["block"].value, letter)
        kept = {where: who for where, who in self.dropped.items() if where != place}
        self._drop(kept if self.dropped.get(place) == sender else {**kept, place: sender})

    def _map(self, string: str, block: int, shown: str, letter: int, shift: int, other: bool) -> go.Figure:
        found = relation_map(self.copy, self._task, block, shown, self.dropped)
        moved = f", moved by {shift} ({letters_followed(self.copy, shift)} letters follow)" if shift else ""
        return draw_relation_view(found, letter - 1, title=f"Block {block}{moved}")

    def _drop(self, dropped: dict[tuple[int, int], int]) -> None:
        self.dropped = dropped
        self._changed(None)

    def _drop_rings(self, letters: Any) -> None:
        block = self.controls["block"].value
        opposed = most_opposed(self.copy.pairs[block])[0, 0].tolist()
        self._drop({**self.dropped, **{(block, letter): opposed[letter] for letter in letters}})

    def _clicked(self, _: Any, points: Any, __: Any) -> None:
        for index in points.point_inds:
            letter, sender = divmod(index, len(self.copy.tokens))
            if sender <= letter + len(self.copy.text) + 1:  # what comes later is not heard anyway
                self.toggle(letter, sender)

    def _hovered(self, _: Any, points: Any, __: Any) -> None:
        for index in points.point_inds:
            self.controls["letter"].value = index // len(self.copy.tokens) + 1
