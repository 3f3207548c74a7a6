"""A small sweep, run on a button's press, with its table filling while the runs go on."""

import html
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

import ipywidgets

from crn_lib.course.cards import Card, table
from crn_lib.course.reachable import Reachable
from crn_lib.course.status import working
from crn_lib.sweeps import Executor, InlineExecutor, ProcessExecutor, Sweep, SweepState, run_sweep, sweep_state
from crn_lib.sweeps.progress import headings, lines, summary
from crn_lib.units import counted

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "inline": InlineExecutor,
    "processes": lambda: ProcessExecutor(workers=2, threads=1),
}
SECONDS_BETWEEN = 0.2
"""How often the table looks at the runs in flight."""


class SweepTable(ipywidgets.VBox):
    """A choice of executor, a number of runs, a button, and the sweep's table, a line a run.

    Attributes:
        state: how far the sweep is.
    """

    def __init__(self, sweep: Sweep, *, device: str = "cpu") -> None:
        self._sweep, self._device = sweep, device
        self._checkpoints = sweep.rows.parent / f"{sweep.rows.stem}.runs"
        self.state = sweep_state(sweep, device=device, checkpoints=self._checkpoints)
        label = {"style": {"description_width": "initial"}}
        self.executor = ipywidgets.Dropdown(options=list(EXECUTORS), description="executor", **label)
        count = len(sweep.configs)
        self.limit = ipywidgets.IntSlider(value=count, min=1, max=count, description="runs now, at most", **label)
        self.button = ipywidgets.Button(
            description="start", button_style="primary", tooltip="do the runs that have no row yet"
        )
        self.again = ipywidgets.Button(description="forget all rows", tooltip="remove the rows of this temporary sweep")
        self.status = ipywidgets.HTML("not started")
        self.table = ipywidgets.HTML()
        controls = [self.executor, self.limit, self.button, self.again]
        self._one_at_a_time = threading.Lock()
        row = ipywidgets.HBox(controls, layout={"flex_flow": "row wrap"})
        super().__init__([row, self.status, self.table, Reachable()])
        self.button.on_click(lambda _: self.start())
        self.again.on_click(lambda _: self.forget())
        self._show(self.state)

    def start(self) -> None:
        """What the button does. An error is shown in place of the status, and raised again."""
        started = time.perf_counter()

        def note(state: SweepState) -> None:
            self._show(state)
            self.status.value = html.escape(summary(state, time.perf_counter() - started))

        with working(self.status, self.button, self.again), _Every(SECONDS_BETWEEN, lambda: self._show(self.state)):
            run_sweep(
                self._sweep,
                executor=EXECUTORS[self.executor.value](),
                device=self._device,
                limit=self.limit.value,
                checkpoints=self._checkpoints,
                on_row=note,
            )

    def forget(self) -> None:
        """Remove the rows, and what the runs left: the next start does everything again."""
        for path in (self._sweep.rows, self._sweep.histories):
            path.unlink(missing_ok=True)
        for folder in self._checkpoints.glob("*"):
            for path in folder.glob("*"):
                path.unlink()
        self.status.value = "not started"
        self._show(sweep_state(self._sweep, device=self._device, checkpoints=self._checkpoints))

    def card(self) -> Card:
        """The table as it stands, for a page without a kernel; without the seconds, which no two runs share."""
        rows = [list(line[:-1]) for line in lines(self.state)]
        plain = "\n".join(", ".join(cell for cell in row if cell) for row in rows)
        title = f"{len(self.state.done)} of {counted(len(rows), 'run')} stored"
        return Card(title, table(list(headings(self.state)[:-1]), rows), plain)

    def _show(self, state: SweepState) -> None:
        with self._one_at_a_time:
            self.state = state
            shown = table(list(headings(state)), [list(line) for line in lines(state)])
            if shown != self.table.value:
                self.table.value = shown


class _Every(AbstractContextManager["_Every"]):
    """Calls a function again and again from a thread, while what is inside holds the main one, and once behind it."""

    def __init__(self, seconds: float, function: Callable[[], None]) -> None:
        self._ended, self._function = threading.Event(), function
        self._thread = threading.Thread(target=self._go, args=(seconds,), daemon=True)

    def _go(self, seconds: float) -> None:
        while not self._ended.wait(seconds):
            self._function()

    def __enter__(self) -> "_Every":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self._function()  # the thread may have drawn what was so a moment ago
