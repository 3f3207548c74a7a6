"""How a sweep looks while it runs: a line a run, as text for a terminal and as a table for a page."""

from collections.abc import Sequence
from typing import Any

from crn_lib.sweeps.jobs import Job
from crn_lib.sweeps.rows import Row
from crn_lib.sweeps.run import SweepState

HEADINGS = ("run", "state", "steps", "letters", "strings", "free-running", "seconds")


def differing_fields(jobs: Sequence[Job]) -> list[str]:
    """The fields in which a sweep's runs differ, dotted, in the order of the configuration: what names a run."""
    plain = [_flat(job.config) for job in jobs]
    return [name for name in plain[0] if len({repr(each[name]) for each in plain}) > 1] if plain else []


def run_name(job: Job, fields: Sequence[str]) -> str:
    """A run by the fields given, as in `causal_rn, 16, seed 0`."""
    plain = _flat(job.config)
    told = [name for name in fields if name != "model.max_length" and plain[name] is not None]
    return ", ".join(_part(name, plain[name]) for name in told) or job.key


def _part(name: str, value: object) -> str:
    short = name.rpartition(".")[2]
    return str(value) if isinstance(value, str) and short != "precision" else f"{short} {value}".replace("_", " ")


def _flat(config: Any, prefix: str = "") -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in vars(config).items():
        if hasattr(value, "__dataclass_fields__"):
            fields |= _flat(value, f"{prefix}{name}.")
        else:
            fields[prefix + name] = value
    return fields


def lines(state: SweepState) -> list[tuple[str, ...]]:
    """One line a run, in the sweep's order, with `HEADINGS` as columns."""
    fields = differing_fields(state.jobs)
    return [(run_name(job, fields), *_outcome(job, state.rows.get(job.key))) for job in state.jobs]


def _outcome(job: Job, row: Row | None) -> tuple[str, ...]:
    if row is None:
        progress = job.progress()
        if progress is None:
            return ("waiting", "", "", "", "", "")
        return (
            "running",
            f"{progress['step']:,.0f} of {job.config.steps:,}",
            f"{progress['character_accuracy']:.1%}",
            f"{progress['string_accuracy']:.1%}",
            "",
            f"{progress['seconds']:.0f}",
        )
    if row["error"]:
        return ("failed", str(row.get("steps", "")), "", "", "", row["error"][:60])
    return (
        "solved" if row["stopped"] == "target" else "done",
        f"{row['steps']:,}",
        f"{row['character_accuracy']:.1%}",
        f"{row['string_accuracy']:.1%}",
        f"{row['free_running_string_accuracy']:.1%}",
        f"{row['seconds']:.0f}",
    )


def summary(state: SweepState, elapsed: float, at_start: int) -> str:
    """How many runs are done, how many failed, the rate of this sitting, and about how long the rest takes."""
    done = len(state.done)
    text = f"{done} of {len(state.jobs)} runs stored, {len(state.failed)} failed"
    fresh = done - at_start
    left = sum(job.key not in state.rows for job in state.waiting)
    if fresh > 0 and elapsed > 0:
        text += f"; {60 * fresh / elapsed:.1f} runs a minute"
        if left:
            text += f", about {_duration(left * elapsed / fresh)} left"
    return text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
