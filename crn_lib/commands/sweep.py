"""The command `crn sweep`: run a sweep on the chosen executor with a live table, or list what there is."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from crn_lib.commands.output import print_table
from crn_lib.config import ConfigError, require, require_whole

if TYPE_CHECKING:
    from crn_lib.sweeps import Executor, SweepState
    from crn_lib.sweeps.rows import Row

EXECUTORS = ("inline", "processes", "ray")
LINES_SHOWN = 24
"""Runs in the live table: those in flight and those around them."""


def sweep(
    source: Annotated[
        str, typer.Argument(metavar="[SWEEP]", help="A name or a .yaml file; all names where none.")
    ] = "",
    executor: Annotated[str, typer.Option(help="inline, processes or ray.")] = "inline",
    workers: Annotated[int | None, typer.Option(help="Runs at once; one a processor where not given.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of each worker, 1 where not given.")] = None,
    address: Annotated[str, typer.Option(help="A Ray cluster; a local one is started where not given.")] = "",
    limit: Annotated[int | None, typer.Option(help="At most so many runs now.")] = None,
    retry_failed: Annotated[bool, typer.Option(help="Do runs that failed again.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    rows: Annotated[
        Path | None, typer.Option(help="File of the rows; figures/data/runs/<name>.jsonl where not given.")
    ] = None,
) -> None:
    """Do the runs of a sweep that have no row yet. Stop it at any moment: the same command goes on."""
    # Here and below, not at the top: torch takes seconds to import, and `crn --help` needs none of it.
    from crn_lib.paths import own_data_file
    from crn_lib.sweeps import load_sweep, run_sweep
    from crn_lib.sweeps.progress import summary, troubles

    console = Console()
    if not source:
        _list_sweeps(console)
        return
    if limit is not None:
        require_whole("--limit", limit)
    chosen = load_sweep(source, rows)
    if rows is None:
        chosen = replace(chosen, rows=own_data_file(f"runs/{chosen.name}.jsonl"))
    where = make_executor(executor, workers=workers, threads=threads, address=address)
    started = time.perf_counter()
    show = _Shown(console, started)
    with show.live:
        try:
            state = run_sweep(
                chosen, executor=where, device=device, limit=limit, retry_failed=retry_failed, on_row=show.update
            )
        except KeyboardInterrupt:
            console.print("interrupted: what was done is stored, and the same command goes on", soft_wrap=True)
            raise
    for line in troubles(state):
        console.print(line, markup=False, soft_wrap=True)
    words = summary(state, time.perf_counter() - started)
    where_stored = f"; rows in {chosen.rows}" if state.done else ""
    console.print(f"{words}{where_stored}", markup=False, soft_wrap=True)
    if state.failed or state.without_data:
        raise typer.Exit(1)


def make_executor(
    name: str, *, workers: int | None = None, threads: int | None = None, address: str = ""
) -> "Executor":
    """The executor of that name.

    Raises:
        ConfigError: an unknown name, an option it has not, or Ray that is not installed.
    """
    from crn_lib.sweeps import InlineExecutor, ProcessExecutor

    if name not in EXECUTORS:
        raise ConfigError(f"--executor must be one of {', '.join(EXECUTORS)}; got {name!r}")
    require(not address or name == "ray", f"--address belongs to --executor ray, not to {name}")
    if name == "inline":
        require(workers in (None, 1), f"--executor inline does one run at a time; got --workers {workers}")
        require(threads is None, f"--executor inline has all of torch's threads; got --threads {threads}")
        return InlineExecutor()
    threads = 1 if threads is None else threads
    if name == "processes":
        return ProcessExecutor(workers, threads)
    from crn_lib.sweeps.ray_executor import RayExecutor

    return RayExecutor(address, workers=workers, threads=threads)


class _Shown:
    """The live table of a terminal; elsewhere a line whenever a run has ended."""

    def __init__(self, console: Console, started: float) -> None:
        self.console, self.started = console, started
        self.state: SweepState | None = None
        self.printed: dict[str, Row] = {}
        render: Callable[[], Table | Group] = self.render
        self.live = Live(
            console=console, get_renderable=render, auto_refresh=console.is_terminal, refresh_per_second=2,
            transient=not console.is_terminal,
        )  # fmt: skip

    def update(self, state: "SweepState") -> None:
        from crn_lib.sweeps.progress import headings, lines

        if self.state is None:
            self.printed = dict(state.rows)
        self.state = state
        if self.console.is_terminal:
            return
        heads = headings(state)[1:]
        for job, line in zip(state.jobs, lines(state), strict=True):
            row = state.outcomes.get(job.key)
            if row is not None and row is not self.printed.get(job.key):  # another row: the run was done again
                self.printed[job.key] = row
                words = "  ".join(f"{head} {cell}" for head, cell in zip(heads, line[1:], strict=True) if cell)
                self.console.print(f"{line[0]}:  {words}", markup=False, highlight=False, soft_wrap=True)

    def render(self) -> Table | Group:
        from crn_lib.sweeps.progress import headings, lines, summary

        if self.state is None or not self.console.is_terminal:
            return Group()
        table = Table(*headings(self.state), box=None, header_style="bold")
        shown = lines(self.state)
        first_open = next((i for i, line in enumerate(shown) if line[1] in ("running", "waiting")), len(shown))
        start = max(0, min(first_open - LINES_SHOWN // 2, len(shown) - LINES_SHOWN))
        styles = {"running": "bold", "failed": "red", "no data": "red", "waiting": "dim"}
        for line in shown[start : start + LINES_SHOWN]:
            table.add_row(*map(Text, line), style=styles.get(line[1], ""))
        return Group(table, Text(summary(self.state, time.perf_counter() - self.started)))


def _list_sweeps(console: Console) -> None:
    from crn_lib.sweeps import load_sweep, own_sweeps, sweep_state

    headings, rows = ("sweep", "runs stored", "what for"), []
    for name in own_sweeps():
        one = load_sweep(name)
        state = sweep_state(one)
        rows.append((name, f"{len(state.done)} of {len(state.jobs)}", one.about))
    if not console.is_terminal:  # whoever searches the lines wants each whole
        print_table(headings, rows)
        return
    table = Table(*headings, box=None, header_style="bold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
