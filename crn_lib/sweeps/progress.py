"""How a sweep looks while it runs: a line a run, as text for a terminal and as a table for a page."""

from collections.abc import Mapping, Sequence
from typing import Any

from crn_lib.sweeps.jobs import NO_DATA, Job
from crn_lib.sweeps.rows import Row
from crn_lib.sweeps.run import SweepState
from crn_lib.tasks import build_task
from crn_lib.tasks.registry import DEFAULT, task_name
from crn_lib.units import counted

COPYING = {
    "letters": "character_accuracy",
    "strings": "string_accuracy",
    "free-running": "free_running_string_accuracy",
}
"""The columns of a sweep that trains on copying only; any other has one, with each task's main metric."""


def headings(state: SweepState) -> tuple[str, ...]:
    """The columns of `lines`; one of errors where there is an error."""
    scores = COPYING if _copies(state.jobs) else ["main metric"]
    return ("run", "state", "steps", *scores, *(["error"] if _troubled(state) else []), "seconds")


def _copies(jobs: Sequence[Job]) -> bool:
    return all(task_name(job.config.task) == DEFAULT for job in jobs)


def differing_fields(jobs: Sequence[Job]) -> list[str]:
    """The fields in which a sweep's runs differ, dotted, in the order of the configuration: what names a run."""
    plain = [_flat(job.config) for job in jobs]
    names = dict.fromkeys(name for each in plain for name in each)
    return [name for name in names if len({repr(each[name]) for each in plain if name in each}) > 1]


def run_name(job: Job, fields: Sequence[str]) -> str:
    """A run by the fields given, as in `causal_rn, 16, seed 0`."""
    plain = _flat(job.config)
    told = [name for name in fields if name != "model.max_length" and plain.get(name) is not None]
    return ", ".join(_part(name, plain[name]) for name in told) or job.key


def _part(name: str, value: object) -> str:
    short = name.rpartition(".")[2]
    return str(value) if isinstance(value, str) and short != "precision" else f"{short} {value}".replace("_", " ")


def _flat(config: Any, prefix: str = "") -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in vars(config).items():
        if hasattr(value, "__dataclass_fields__"):
            fields |= {"task.name": task_name(value)} if name == "task" else {}
            fields |= _flat(value, f"{prefix}{name}.")
        else:
            fields[prefix + name] = value
    return fields


def lines(state: SweepState) -> list[tuple[str, ...]]:
    """One line a run, in the sweep's order, with `headings` as columns."""
    fields, copies = differing_fields(state.jobs), _copies(state.jobs)
    outcomes, troubled = state.outcomes, _troubled(state)
    shown = []
    for job in state.jobs:
        *cells, error, seconds = _outcome(job, outcomes.get(job.key), copies)
        shown.append((run_name(job, fields), *cells, *([error] if troubled else []), seconds))
    return shown


def _troubled(state: SweepState) -> bool:
    return bool(state.failed or state.without_data)


def _outcome(job: Job, row: Row | None, copies: bool) -> tuple[str, ...]:
    """State, steps, scores, error and seconds."""
    none = _scores(job, {}, copies)
    if row is None:
        progress = job.progress()
        if progress is None:
            return ("waiting", "", *none, "", "")
        steps = f"{progress['step']:,.0f} of {job.config.steps:,}"
        return ("running", steps, *_scores(job, progress, copies), "", _seconds(progress))
    if row["error"]:
        word = "no data" if row.get(NO_DATA) else "failed"
        return (word, str(row.get("steps", "")), *none, row["error"][:60], _seconds(row))
    state = "solved" if row.get("stopped") == "target" else "done"
    return (state, f"{row['steps']:,}", *_scores(job, row, copies), "", _seconds(row))


def _scores(job: Job, found: Mapping[str, Any], copies: bool) -> tuple[str, ...]:
    if copies:
        return tuple(_percent(found.get(name)) for name in COPYING.values())
    main = build_task(job.config.task).main_metric
    return (f"{main.replace('_', ' ')} {_percent(found[main])}" if main in found else "",)


def _seconds(found: Mapping[str, Any]) -> str:
    """None of a run that ended before it measured any."""
    return f"{found['seconds']:.0f}" if "seconds" in found else ""


def _percent(value: object) -> str:
    return f"{value:.1%}" if isinstance(value, float) else ""


def troubles(state: SweepState) -> list[str]:
    """What went wrong, each error once, with the key of the first run that it ended."""
    said = []
    for what, rows in (("failed", state.failed), ("without data", state.without_data.values())):
        by_error: dict[str, list[str]] = {}
        for row in rows:
            by_error.setdefault(row["error"], []).append(row["key"])
        for error, (first, *others) in by_error.items():
            runs = f"{what}, {len(others) + 1} runs, the first {first}" if others else f"{what}: {first}"
            said.append(f"{runs}: {error}")
    return said


def summary(state: SweepState, elapsed: float) -> str:
    """How many runs are stored, how many of them failed, how many could not begin, the rate of this sitting, and about
    how long the rest takes.
    """
    text = f"{len(state.done)} of {counted(len(state.jobs), 'run')} stored, {len(state.failed)} failed"
    if state.without_data:
        text += f", {len(state.without_data)} without data"
    left = len(state.waiting) - state.stored_now - len(state.without_data)
    if state.stored_now and elapsed > 0:
        text += f"; {60 * state.stored_now / elapsed:.1f} runs a minute"
        if left:
            text += f", about {_duration(left * elapsed / state.stored_now)} left"
    return text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
