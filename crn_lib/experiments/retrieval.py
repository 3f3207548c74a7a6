"""How trained copiers retrieve: what every block's pairs look like, and what a copy is worth without some (lesson 08).

`crn measure retrieval lengths ablations` reads the models of these sweeps and adds the rows that
`figures/data/retrieval.jsonl` still lacks: for every model one row a block (`what` is `look`), one without any edit
(`what` is `nothing`), one for every edit of all blocks at once (`block` is -1), one for every shift of the receivers
(`what` is `move_1`) and, unless `--together` is given, one for every edit of a single block.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from crn_lib.analysis import capture_pairs, copy_sources, memory_rank
from crn_lib.analysis.pairs import RelationPairs
from crn_lib.analysis.retarget import letters_moved
from crn_lib.analysis.retrieval import ATTENTION_EDITS, RELATION_DROPS, RELATION_EDITS, look, named_edit, score_edited
from crn_lib.experiments.verdicts import Verdict
from crn_lib.models import ModelConfig, SequenceModel
from crn_lib.ops.normalise import PAIR_NORMS
from crn_lib.provenance import circumstances
from crn_lib.sweeps import fill
from crn_lib.sweeps.fill import Measurement
from crn_lib.sweeps.rows import Row, newest_rows
from crn_lib.tasks import CopyingConfig, CopyingTask
from crn_lib.tasks.registry import DEFAULT
from crn_lib.training import load_model
from crn_lib.training.loop import CHECKPOINT_NAME

KINDS = ("causal_rn", "linear_rn", "transformer")
LONGEST = 128
STRINGS = 128
SEED = 8
"""Of the strings; no training or evaluation stream of a run with a small seed starts there twice over."""

RANK_STRINGS = 4
SHIFTS = (-1, 1, 3)
"""Rows further: whose receiver each row gets, in the edits `move_...`."""

ALL_BLOCKS = -1
ROWS = "retrieval.jsonl"


def fresh_problems(task: CopyingTask, strings: int = STRINGS) -> tuple[Tensor, Tensor]:
    """The strings that every model of a length is looked at on."""
    return task.sample(strings, torch.Generator().manual_seed(1_000_000 + SEED))


def looks(model: SequenceModel, task: CopyingTask, tokens: Tensor) -> Iterator[dict[str, Any]]:
    """One mapping a block: `look`, and for a relation the rank of what its pool must hold.

    The rank is that of the pool of one string, asked by the writing positions of several, more than it has rows; the
    largest over the columns.
    """
    where = copy_sources(task.config.string_length)
    for block, pairs in enumerate(capture_pairs(model, tokens, where.rows)):
        rank = {}
        if isinstance(pairs, RelationPairs):
            config = model.config
            asking = pairs.receivers[:RANK_STRINGS, 0].flatten(0, 1)
            pool = pairs.senders[0, 0, : len(where.rows)]
            most = memory_rank(asking, pool, norm=str(config.norm), activation=pairs.activation).max()
            rank = {"pool_rank": int(most), "pool_rows": len(pool)}
        yield {"what": "look", "block": block, **look(pairs, where.sources), **rank}


def wanted_edits(config: ModelConfig, together: bool) -> list[tuple[str, int]]:
    """Names of edits and the block of each; edits of the scale only where the norm gives every pair its own."""
    if config.norm is None:
        names: tuple[str, ...] = ATTENTION_EDITS
    else:
        names = RELATION_EDITS if PAIR_NORMS[config.norm].of_sum else RELATION_DROPS
    blocks = [ALL_BLOCKS] if together else [ALL_BLOCKS, *range(config.blocks)]
    shifts = SHIFTS if names == RELATION_EDITS else ()
    moves = [(f"move_{shift}", ALL_BLOCKS) for shift in shifts]
    return [("nothing", ALL_BLOCKS), *((name, block) for name in names for block in blocks), *moves]


def edited_scores(
    model: SequenceModel, task: CopyingTask, tokens: Tensor, targets: Tensor, edits: Iterable[tuple[str, int]]
) -> Iterator[dict[str, Any]]:
    """One mapping an edit: its name, the block, and the accuracies that are left."""
    sources = copy_sources(task.config.string_length).sources
    for name, block in edits:
        if name.startswith("move_"):
            yield {"what": name, "block": block, **moves(model, task, tokens, int(name.removeprefix("move_")))}
            continue
        edited = [] if name == "nothing" else range(len(model.blocks)) if block == ALL_BLOCKS else [block]
        generator = torch.Generator().manual_seed(SEED)
        changes = {number: named_edit(name, sources, generator) for number in edited}
        yield {"what": name, "block": block, **score_edited(model, task, tokens, targets, changes)}


def moves(model: SequenceModel, task: CopyingTask, tokens: Tensor, shift: int) -> dict[str, Any]:
    """Letters written `shift` further with receivers moved in block 0, and in 0 and 1, by own and other strings."""
    others, _ = task.sample(len(tokens), torch.Generator().manual_seed(2_000_000 + SEED))
    here = letters_moved(model, tokens, tokens, shift, (0,))
    return {
        "chance": here["chance"],
        "moved_0": here["moved"],
        "moved_01": letters_moved(model, tokens, tokens, shift, (0, 1))["moved"],
        "moved_0_by_others": letters_moved(model, tokens, others, shift, (0,))["moved"],
        "moved_01_by_others": letters_moved(model, tokens, others, shift, (0, 1))["moved"],
    }


def model_rows(run: Row, checkpoint: str | Path, together: bool, missing: set[str]) -> Iterator[Row]:
    """The rows of one trained model that have these keys."""
    model = load_model(checkpoint)
    task = CopyingTask(CopyingConfig(**run["task"]))
    tokens, targets = fresh_problems(task)
    shape = ("kind", "norm", "activation", "post_norm", "width", "blocks", "heads")
    shared = {
        **{name: run["model"][name] for name in shape},
        "run": run["key"],
        "sweep": run["sweep"],
        "string_length": task.config.string_length,
        "training_steps": run["steps"],
        "learning_rate": run["training"]["learning_rate"],
        "seed": run["seed"],
        "strings": STRINGS,
        "strings_seed": SEED,
        **circumstances("cpu", "float32"),
    }
    asked = [pair for key, pair in model_keys(run, together).items() if key in missing]
    unseen = [block for what, block in asked if what == "look"]
    found = [row for row in looks(model, task, tokens) if row["block"] in unseen] if unseen else []
    edits = [(what, block) for what, block in asked if what != "look"]
    for row in itertools.chain(found, edited_scores(model, task, tokens, targets, edits)):
        yield {"key": row_key(run["key"], row["what"], row["block"]), **row, **shared}


def model_keys(run: Row, together: bool) -> dict[str, tuple[str, int]]:
    """The keys of all rows of one trained model: what was done, and to which block."""
    config = ModelConfig(**run["model"])
    pairs = [*(("look", block) for block in range(config.blocks)), *wanted_edits(config, together)]
    return {row_key(run["key"], what, block): (what, block) for what, block in pairs}


def row_key(run: str, what: str, block: int) -> str:
    """A row's name: the run's key, what was done, and where."""
    return f"{run}/{what}/{'all' if block == ALL_BLOCKS else block}"


def reads_opposed(found: Sequence[float], without: Sequence[float], beside: Sequence[float]) -> Verdict:
    """Whether all models retrieve from the most anti-aligned sender; open without a number, or where the control fails.

    Args:
        found: shares of letters whose source is that sender; at least 90% in every model.
        without: letters right without it; less than a quarter in every model.
        beside: letters right without a random other sender, the control; at least 90%, or dropping says nothing.
    """
    known = all(map(math.isfinite, (*found, *without, *beside)))
    if not found or not without or not beside or not known or min(beside) < 0.9:
        return None
    return min(found) >= 0.9 and max(without) < 0.25


def follows_receivers(moved: Sequence[float], chance: Sequence[float]) -> Verdict:
    """Whether moved receivers decide which letter is written, in all models and for all shifts.

    Args:
        moved: shares of moved rows that write the letter so much further; at least three quarters of them.
        chance: how often that is their own letter anyway, the control; at most 10%, or the shares say nothing.
    """
    if not moved or not chance or not all(map(math.isfinite, (*moved, *chance))) or max(chance) > 0.1:
        return None
    return min(moved) >= 0.75


def looks_up_by(untouched: float, opposed: float, aligned: float, other: float) -> str:
    """How one model finds its letters, from the letters right without each kind of sender, in all blocks at once.

    Args:
        untouched: letters right without any edit.
        opposed, aligned, other: without the most anti-aligned sender, the most aligned, a random other one.

    Returns:
        `cancellation` or `alignment` if without that sender, and without no other, less than 30% is left of what it
        copies; `spread out` if a random sender costs a quarter; else `neither`.
    """
    if other < 0.75 * untouched:
        return "spread out"
    chosen = [word for word, left in (("cancellation", opposed), ("alignment", aligned)) if left < 0.3 * untouched]
    return chosen[0] if len(chosen) == 1 else "neither"


def trained_runs(sweeps: Iterable[str], rows: str | Path, checkpoints: str | Path) -> list[tuple[Row, Path]]:
    """The finished runs of sweeps whose pairs can be looked at, and where their checkpoints lie.

    Raises:
        FileNotFoundError: a sweep has no rows there.
        ConfigError: a sweep is of another task than copying.
    """
    found = []
    for name in sweeps:
        file = Path(rows) / f"{name}.jsonl"
        if not file.exists():
            raise FileNotFoundError(f"the sweep {name!r} has no rows in {rows}; `crn sweep {name}` makes them")
        runs = newest_rows(file, needs=("key", "error", "model", "task")).values()
        fill.require_copying(name, (run["task"].get("name", DEFAULT) for run in runs))
        for run in runs:
            path = Path(checkpoints) / name / run["key"] / CHECKPOINT_NAME
            fits = run["model"]["kind"] in KINDS and run["task"]["string_length"] <= LONGEST
            if fits and not run["error"] and run["task"]["shortest"] is None and path.exists():
                found.append((run, path))
    return found


def fill_rows(runs: Iterable[tuple[Row, Path]], path: str | Path, *, together: bool = False) -> None:
    """Add what is missing, each row as soon as it is measured."""
    measurements = [
        Measurement([*model_keys(run, together)], partial(model_rows, run, checkpoint, together))
        for run, checkpoint in runs
    ]
    fill.fill_rows(path, measurements, what="model")
