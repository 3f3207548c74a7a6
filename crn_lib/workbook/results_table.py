"""Results from the stored runs: `docs/results.md` with every run counted, and eight lines of it in the README."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from crn_lib.experiments.comparison import (
    OURS,
    SWEEPS,
    YARDSTICK,
    AtRate,
    Comparison,
    Side,
    compare,
    device_of,
    model_of,
    parameters_of,
    shape_of,
    task_differences,
    task_of,
)
from crn_lib.experiments.cost import PAPER_LENGTHS
from crn_lib.files import replace_text
from crn_lib.sweeps.rows import read_rows, seedless
from crn_lib.sweeps.run import sweep_state
from crn_lib.sweeps.stored_runs import SOLVED, Run, Spread, read_runs
from crn_lib.sweeps.sweep import load_sweep, own_sweeps
from crn_lib.tasks.registry import DEFAULT, TASKS
from crn_lib.units import counted
from crn_lib.viz.theme import KIND_NAMES
from crn_lib.workbook.generated import markdown_table, text_between

START, END = "<!-- results: written by `crn publish results` -->", "<!-- end of results -->"
PAGE, README = "docs/results.md", "README.md"
HEADINGS = (
    "letters, or task",
    "model",
    "parameters",
    "blocks × width, batch",
    "learning rate",
    "seeds that copy 99% (interval)",
    "steps to 99%",
    "strings seen",
    "processor seconds to 99%",
    "letters / strings right, or score",
    "free-running",
    "device",
)
NEITHER = "open, neither copies 99%"
SHORT_HEADINGS = ("letters", "blocks × width, batch", "CausalRN", "Transformer", "as well?")
SECTIONS = {
    "The paper's own shape": ("paper_shape",),
    "Small models, each with learning rates of its own": ("fair_lengths",),
    "Strings of many lengths, with learning rates of their own": ("mixed_lengths",),
    "Strings of many lengths, one learning rate for each model": ("length_generalisation",),
    "Ways to tell places apart, for lengths unseen": ("unseen_lengths",),
    "CausalRNs with a Transformer's number of parameters": ("equal_parameters",),
    "Beyond copying: other tasks, at 99% of the task's own score": (
        "recall",
        "ngram",
        "fuzzy_recall",
        "memorisation",
        "hops",
        "regression",
        "images",
        "text",
        "sentences",
    ),
    "Six models, on one processor": (
        "lengths",
        "retrieval_seeds",
        "linear_rn_longer",
        "linear_transformer_copies",
        "beyond_256",
        "more_steps_at_256",
    ),
    "DeltaNet, on one processor": ("delta_net_copies",),
}
"""Headings of the page, and the sweeps whose runs stand under each; none where there is no run yet."""

NOT_DONE = (
    "A verdict stands on the rows that are there. These sweeps ask for more; whoever has the processors runs them by "
    "`crn sweep <name>`, and `crn publish` counts again."
)

PUBLISHED = ("garg", "mad", "repeat_after_me", "zoology")
"""Sweeps of the sizes that others published; what they lack is no gap in our own comparisons."""

PUBLISHED_SIZES = (
    "Others' setups, as far as our tasks express them. They are expensive, and no verdict here stands on them: whoever "
    "has a GPU for them runs them by `crn sweep <name>`."
)

SHORT_LENGTHS = (128, 256)
"""Of the small models, the lengths that the README shows: the longest two of the paper."""

MIXED, MIXED_LONGEST = "mixed_lengths", 32
"""The sweep on strings of many lengths, and its longest strings."""


def runs_of(root: Path, sweeps: Iterable[str]) -> list[Run]:
    """The stored runs of sweeps."""
    return [run for name in sweeps for run in read_runs(root / f"figures/data/runs/{name}.jsonl")]


def results_markdown(root: Path) -> str:
    """The tables, a line a configuration; median over seeds, the range in brackets where there is one."""
    parts = []
    for heading, sweeps in SECTIONS.items():
        if runs := runs_of(root, sweeps):
            parts += [f"## {heading}", markdown_table(headings_of(runs), _lines(runs)), _circumstances(runs, sweeps)]
    own = tuple(name for name in own_sweeps() if name not in PUBLISHED)
    missing = {"Asked for and not run": (NOT_DONE, own), "Published sizes, not run here": (PUBLISHED_SIZES, PUBLISHED)}
    for heading, (words, sweeps) in missing.items():
        if lines := list(_not_done(root, sweeps)):
            table = markdown_table(("sweep", "asked for", "stored", "what for"), lines)
            parts += [f"## {heading}", words, table]
    return "\n\n".join(parts)


def headings_of(runs: Iterable[Run]) -> tuple[str, ...]:
    """`HEADINGS`, where not all of the runs are of copying in words that hold for any task."""
    copying = all(run.task == DEFAULT for run in runs)
    return HEADINGS if copying else tuple(heading.replace("that copy", "that reach") for heading in HEADINGS)


def _not_done(root: Path, sweeps: Iterable[str]) -> Iterable[tuple[str, ...]]:
    """A line for each of these sweeps that asks for runs without a row."""
    for name in sweeps:
        sweep = load_sweep(name, root / f"figures/data/runs/{name}.jsonl")
        state = sweep_state(sweep)
        if state.waiting:
            yield f"`{name}`", f"{len(state.jobs):,}", f"{len(state.done):,}", sweep.about


def short_markdown(root: Path) -> str:
    """The README's table: the paper's shape at all its lengths, small models at the longest, and mixed lengths."""
    paper, small = SWEEPS
    lines = [_short_line(each) for each in compare(runs_of(root, [paper]), PAPER_LENGTHS)]
    lines += [_short_line(each) for each in compare(runs_of(root, [small]), SHORT_LENGTHS)]
    mixed = compare(runs_of(root, [MIXED]), [MIXED_LONGEST])
    return markdown_table(
        SHORT_HEADINGS, [*lines, _mixed_line(root), *(_short_mixed(each) for each in mixed if each.comparable)]
    )


def _lines(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(seedless(run.row), []).append(run)
    kinds = list(KIND_NAMES)

    def place(own: list[Run]) -> tuple[float | str, ...]:
        training = own[0].row["training"]
        copying = own[0].task == DEFAULT
        task = (own[0].string_length, "") if copying else (0, task_of(own[0].row))
        return *task, kinds.index(own[0].kind), training["learning_rate"], training["steps"]

    return [
        _line(AtRate(own[0].row["training"]["learning_rate"], tuple(own))) for own in sorted(groups.values(), key=place)
    ]


def _line(group: AtRate) -> tuple[str, ...]:
    row = group.runs[0].row
    seconds = [point["cpu_seconds"] for run in group.runs if run.row["device"] == "cpu" and (point := run.first())]
    first = group.runs[0]
    metrics = _metrics(first)
    ways = [
        " / ".join(
            Spread.of([run.row[way + metric] for run in group.runs]).show(form) + unit
            for metric, (form, unit) in metrics.items()
            if way + metric in row
        )
        or "–"
        for way in ("", "free_running_")
    ]
    return (
        _letters(first) if first.task == DEFAULT else task_of(row),
        model_of(row, KIND_NAMES),
        f"{parameters_of(row):,}",
        shape_of(row),
        f"{group.rate:g}",
        group.share.words(),
        group.steps.show() if group.steps else f"not in {row['training']['steps']:,}",
        group.strings.show()
        if group.strings
        else f"{row['training']['steps'] * row['training']['batch']:,}, not enough",
        Spread.of(seconds).show() if seconds else "–",
        *ways,
        ", ".join(sorted({device_of(run.row) for run in group.runs})),
    )


def _metrics(run: Run) -> dict[str, tuple[str, str]]:
    """The scores that a line gives, each with its form and its unit; first what the task's runs are compared by."""
    if run.task == DEFAULT:
        return dict.fromkeys(("character_accuracy", "string_accuracy"), (".1%", ""))
    loss = TASKS[run.task].task.loss_metric
    losses = {loss: (".2f", f" {loss.replace('_', ' ')}")} if loss else {}
    return losses | {run.main_metric: (".1%", "")}


def _letters(run: Run) -> str:
    shortest = run.row["task"].get("shortest") or run.string_length
    letters = str(run.string_length) if shortest == run.string_length else f"{shortest} to {run.string_length}"
    return ", ".join([letters, *task_differences(run.row, ("string_length", "shortest"))])


def _short_mixed(comparison: Comparison) -> tuple[str, ...]:
    """Of models trained on strings of several lengths, each at its best rate: the strings that they give back."""
    sides = comparison.ours.best, comparison.yardstick.best
    found = [Spread.of([run.row["free_running_string_accuracy"] for run in side.runs]) for side in sides]
    first = sides[0].runs[0]
    words = [
        f"{spread.show('.0%')} of strings, {counted(len(side.runs), 'seed')}"
        for spread, side in zip(found, sides, strict=True)
    ]
    undecided = "open" if any(side.best.share.works for side in (comparison.ours, comparison.yardstick)) else NEITHER
    return (
        f"{_letters(first)}, {first.row['training']['steps']:,} steps, rates of their own",
        shape_of(first.row),
        *words,
        {True: "yes", False: "no", None: f"{undecided}; {_ranges(*found)}"}[comparison.verdict],
    )


def _short_line(comparison: Comparison) -> tuple[str, ...]:
    sides = comparison.ours, comparison.yardstick
    rows = [side.best.runs[0].row for side in sides if side.tried]
    words = {True: "yes", False: "no", None: "open; the CausalRN is ahead" if comparison.ahead else "open"}
    shapes = ", ".join(dict.fromkeys(map(shape_of, rows)))
    return str(comparison.string_length), shapes, *map(_short_side, sides), words[comparison.verdict]


def _short_side(side: Side) -> str:
    if not side.tried:
        return "no run yet"
    after = f", {side.best.steps.show()} steps" if side.best.steps else ""
    return f"{side.best.share.copied} of {counted(side.best.share.runs, 'seed')}{after}"


def _mixed_line(root: Path) -> tuple[str, ...]:
    """Models trained on strings of several lengths, at the longest of these: the strings that they give back."""
    trained = runs_of(root, ["length_generalisation"])
    row = trained[0].row
    shortest, longest = row["task"]["shortest"], trained[0].string_length
    tested = [
        each for each in read_rows(root / "figures/data/length_generalisation.jsonl") if each["tested_at"] == longest
    ]
    strings = {
        kind: [each["free_running_string_accuracy"] for each in tested if each["kind"] == kind]
        for kind in (OURS, YARDSTICK)
    }
    medians = {kind: Spread.of(found) for kind, found in strings.items()}
    sides = [
        f"{medians[kind].show('.0%')} of strings, {counted(len(strings[kind]), 'seed')}" for kind in (OURS, YARDSTICK)
    ]
    undecided = "open" if any(spread.median >= SOLVED for spread in medians.values()) else NEITHER
    return (
        f"{longest}, trained on {shortest} to {longest} for {row['training']['steps']:,} steps",
        shape_of(row),
        *sides,
        f"{undecided}; {_ranges(medians[OURS], medians[YARDSTICK])}",
    )


def _ranges(ours: Spread, yardsticks: Spread) -> str:
    """Which side is ahead in all of its seeds of all of the other's, if one is."""
    if ours.low > yardsticks.high:
        return "the CausalRN is ahead"
    return "the CausalRN is behind" if ours.high < yardsticks.low else "the ranges overlap"


def _circumstances(runs: Sequence[Run], sweeps: Sequence[str]) -> str:
    rows = [run.row for run in runs]
    devices = " and ".join(sorted({f"{device_of(row)}, {row['dtype']}" for row in rows}))
    torch = ", ".join(sorted({row["versions"]["torch"] for row in rows}))
    return f"{len(rows)} runs of {', '.join(f'`{name}`' for name in sweeps)} on {devices}, torch {torch}."


def updated(root: Path) -> dict[Path, str]:
    """The page and the README with the tables of today's rows in them.

    Raises:
        ValueError: one of them has lost the marks between which its table stands.
    """
    tables = {root / PAGE: results_markdown(root), root / README: short_markdown(root)}
    return {path: text_between(path, START, END, table) for path, table in tables.items()}


def update(root: Path) -> None:
    """Write the tables into the page and the README."""
    for path, text in updated(root).items():
        replace_text(path, text)
