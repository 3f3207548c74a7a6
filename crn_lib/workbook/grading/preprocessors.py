"""What nbgrader does here in a way of ours: it runs only the exercises, each apart, and shows only them."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Integer

from crn_lib.workbook.grading.code import Code, needed
from crn_lib.workbook.grading.mend import NOT_THERE
from crn_lib.workbook.grading.sandbox import Limits, Outcome, run_cells

SETUP = "import math\n\nimport torch\n\nfrom crn_lib import course"
CHECK = re.compile(r'course\.check\("([\w.]+)", (\w+), graded=True\)')


class RunExercises(NbGraderPreprocessor):
    """In place of nbgrader's `Execute`: an exercise and what it needs of the other cells, in a process of its own.

    Training cells and widgets are not executed. A cell that was not reached counts as failed: nbgrader takes a test
    cell without output for a passed one.
    """

    seconds = Float(20.0, help="Seconds a cell may take.").tag(config=True)
    megabytes = Integer(2048, help="Megabytes of memory a submission's process may take.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Called by nbgrader."""
        marks = [cell.metadata.get("nbgrader", {}) for cell in nb.cells]
        solutions = {mark["grade_id"]: n for n, mark in enumerate(marks) if mark.get("solution")}
        tests = [n for n, mark in enumerate(marks) if mark.get("grade") and not mark.get("solution")]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pairs = [(solutions.get(marks[n]["grade_id"].removesuffix("-check")), n) for n in tests]
            for (place, test), outcomes in zip(pairs, pool.map(lambda pair: self._run(nb, *pair), pairs), strict=True):
                _write(nb.cells[test], outcomes[1])
                if place is not None:
                    _write(nb.cells[place], outcomes[0])
        return nb, resources

    def _run(self, nb: Any, place: int | None, test: int) -> tuple[Outcome, Outcome]:
        """What came of the answer, and of its check."""
        call = CHECK.search(nb.cells[test].source)
        if place is None or call is None or nb.cells[place].source == NOT_THERE:
            return Outcome(), Outcome(error=("Missing", "there is no answer to check"))
        answer = Code(nb.cells[place].source)
        before, after = _others(nb, place)
        key, name = call.groups()
        helpers = needed(answer, frozenset({name}) if answer.tree else frozenset(), before, after)
        # Whoever changed the checks has them accept this one, too.
        nonsense = f'course.check("{key}", lambda *_: None, graded=True)'
        limits = Limits(self.seconds, self.megabytes * 2**20)
        ran = run_cells([SETUP, helpers, answer.source, nb.cells[test].source, nonsense], limits)
        if len(ran) < 4:  # what helps the answer failed, or it did itself
            return ran[-1], Outcome(error=("NotRun", "the cell with the answer failed, so it was not checked"))
        if ran[3].error is None and (ran[-1].error or ("", ""))[0] != "CheckFailed":
            return ran[2], Outcome(error=("ChecksChanged", "the answer changes the checks themselves"))
        return ran[2], ran[3]


class OnlyExercises(NbGraderPreprocessor):
    """For feedback: the cards, the answers and what came of them, without the rest of the lesson."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Called by nbgrader."""
        nb.cells = [cell for cell in nb.cells if cell.cell_type == "markdown" or "nbgrader" in cell.metadata]
        return nb, resources


def _others(nb: Any, place: int) -> tuple[list[Code], list[Code]]:
    """The code cells before and behind an answer: of the notebook that was handed in, where this one was mended."""
    plain = [n for n, cell in enumerate(nb.cells) if cell.cell_type == "code" and "nbgrader" not in cell.metadata]
    codes = {n: Code(nb.cells[n].source) for n in plain}
    handed_in = {nb.cells[n].metadata.get("crn_handed_in"): n for n in plain}
    own = nb.cells[place].metadata.get("crn_place")
    place = handed_in.get(own, place) if own is not None else place
    return [codes[n] for n in plain if n < place], [codes[n] for n in plain if n > place]


def _write(cell: Any, outcome: Outcome) -> None:
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=outcome.text)] if outcome.text else []
    if outcome.error is not None:
        name, message = outcome.error
        cell.outputs.append(
            nbformat.v4.new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
        )
