"""Rows that can be dragged in a plane: a pair under three norms, and a dictionary read by cancellation."""

from typing import Any

import traitlets

from crn_lib.course.widgets.alive import Alive


class NormsOfAPair(Alive, module="pair"):
    """Two rows of three numbers as arrows, and what the exponential sees of the pair at three places of the norm."""

    points = traitlets.List(traitlets.List()).tag(sync=True)

    def __init__(self, a: tuple[float, float] = (2.0, 0.8), b: tuple[float, float] = (-1.4, -1.2)) -> None:
        """Where the rows stand at first, in the plane of rows of mean 0 (`rowAt` in `frontend/norm_places.js`)."""
        super().__init__(points=[list(a), list(b)])

    def page_state(self) -> dict[str, Any]:
        """The same."""
        return {"points": self.points}


class DictionaryPlane(Alive, module="plane"):
    """A receiver and six senders as points: scale, share of the output, and the letter that is read.

    Args:
        width: of a row, at first.
        letter: size of a letter beside the distances, in standard deviations, at first.
    """

    width = traitlets.Int().tag(sync=True)
    letter = traitlets.Float().tag(sync=True)

    def __init__(self, width: int = 64, letter: float = 0.2) -> None:
        super().__init__(width=width, letter=letter)

    def page_state(self) -> dict[str, Any]:
        """The same."""
        return {"width": self.width, "letter": self.letter}
