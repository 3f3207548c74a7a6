"""A small copier trained in the page, in JupyterLab and in the static edition."""

from typing import Any

import traitlets

from crn_lib.course.frontend import module_text
from crn_lib.course.widgets.alive import Alive

WORKER = "train_worker"


class TrainInPage(Alive, module="train"):
    """Trains a CausalRN of two blocks of width 32 on strings of 4 to 8 letters, in the browser and nowhere else.

    The reader chooses norm, activation, learning rate, letters and seed; the last runs stay side by side.
    """

    worker = traitlets.Bytes().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(worker=module_text(WORKER).encode())

    def page_state(self) -> dict[str, Any]:
        """Where a page finds the worker's text."""
        return {"worker": {"carried": f"{WORKER}.js"}}
