"""Copying by length: steps until a length is copied, what is held then, and which learning rate to train with."""

from collections.abc import Iterable, Sequence
from typing import Any

from crn_lib.config import from_mapping
from crn_lib.experiments.comparison import Side
from crn_lib.experiments.verdicts import Share, Verdict, any_of, falls_short
from crn_lib.models import ModelConfig, build_model
from crn_lib.sweeps.stored_runs import Run, Spread, by_kind_and_length

LENGTH_SWEEPS = ("lengths", "retrieval_seeds", "delta_net_copies", "beyond_256")
"""Sweeps whose runs belong to one picture of copying by length."""

LONGER_SWEEPS = ("linear_rn_longer", "linear_transformer_copies")
"""Fixed states at rates of their own with three times the steps of those: of the verdicts, but not of the picture."""

FIXED_STATES = ("linear_rn", "linear_transformer", "lstm", "ssm", "delta_net")
"""Kinds whose state does not grow with the string."""


def shares_at(runs: Iterable[Run], string_length: int) -> dict[str, Share]:
    """How many runs of each kind copy strings of one length."""
    groups = by_kind_and_length(runs)
    return {kind: Share.of(own) for (kind, length), own in groups.items() if length == string_length}


def discriminates(shares: dict[str, Share]) -> bool:
    """Whether at a length the Transformer copies, and of the fixed-size states that were run there no run does.

    One that was stopped while rising counts as not copying here; `tells_apart` leaves such a length open.

    Args:
        shares: as `shares_at` gives them.
    """
    fixed = [shares[kind] for kind in FIXED_STATES if kind in shares]
    return "transformer" in shares and shares["transformer"].works and bool(fixed) and not any(s.copied for s in fixed)


def tells_apart(runs: Sequence[Run], lengths: Iterable[int]) -> Verdict:
    """Whether at one of these lengths the Transformer copies and no fixed-size state that was run there does.

    Never refuted, since every fixed state must fail at some length: open as long as no length shows the contrast, be it
    that the Transformer does not copy, that a run of a fixed state copies or was still rising, or that none was run.
    """
    return any_of(
        True
        if discriminates(shares) and not any(shares[kind].unfinished for kind in FIXED_STATES if kind in shares)
        else None
        for shares in (shares_at(runs, length) for length in lengths)
    )


def behind_somewhere(runs: Sequence[Run], kind: str, lengths: Iterable[int]) -> Verdict:
    """Whether a kind of model does not copy at one of these lengths, although the Transformer does."""
    found = [shares_at(runs, length) for length in lengths]
    none = Share(0, 0)
    return any_of(falls_short(shares.get(kind, none), shares.get("transformer", none)) for shares in found)


def length_points(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """One mapping a kind and length: how many seeds copied it, after how many steps and processor seconds.

    Returns:
        Mappings with `kind`, `string_length`, `seeds`, `solved` (of them), `steps` and `seconds` (`Spread` over the
        seeds that solved it, `None` if none did), `each_steps` and `each_seconds` (of every one of these, ascending),
        `budget` (steps at most), the `Spread`s of the final accuracies by the names they have in rows, and `width`.
    """
    names = [f"{way}{unit}_accuracy" for way in ("", "free_running_") for unit in ("character", "string")]
    points = []
    for (kind, string_length), own in by_kind_and_length(runs).items():
        reached = [point for run in own if (point := run.first()) is not None]
        each = {
            unit: sorted(point[name] for point in reached)
            for unit, name in (("steps", "step"), ("seconds", "cpu_seconds"))
        }
        points.append(
            {
                "kind": kind,
                "string_length": string_length,
                "width": own[0].row["model"]["width"],
                "seeds": len(own),
                "solved": len(reached),
                **{unit: Spread.of(found) if found else None for unit, found in each.items()},
                **{f"each_{unit}": found for unit, found in each.items()},
                "budget": max(run.row["training"]["steps"] for run in own),
                **{name: Spread.of([run.row[name] for run in own]) for name in names},
            }
        )
    return points


def state_points(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """One mapping a kind and length: bytes held when the string has ended, and letters right, free-running.

    Returns:
        Mappings with `kind`, `string_length`, `width`, `seeds`, `state_bytes` and `accuracy` (a `Spread`).
    """
    points = []
    for (kind, string_length), own in by_kind_and_length(runs).items():
        config = from_mapping(ModelConfig, own[0].row["model"])
        points.append(
            {
                "kind": kind,
                "string_length": string_length,
                "width": config.width,
                "seeds": len(own),
                "state_bytes": build_model(config).state_bytes(string_length + 2),
                "accuracy": Spread.of([run.row["free_running_character_accuracy"] for run in own]),
            }
        )
    return points


def rate_points(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """One mapping a kind, length, budget and learning rate: how many seeds copied, and the letters right at the end.

    Returns:
        Mappings with `kind`, `string_length`, `budget` (steps at most), `rate`, `share` (a `Share`) and `letters` (a
        `Spread` of the final accuracy of letters).
    """
    points = []
    for (kind, string_length), own in by_kind_and_length(runs).items():
        for budget in sorted({run.row["training"]["steps"] for run in own}):  # more steps are another question
            side = Side.of(run for run in own if run.row["training"]["steps"] == budget)
            points += [
                {
                    "kind": kind,
                    "string_length": string_length,
                    "budget": budget,
                    "rate": tried.rate,
                    "share": tried.share,
                    "letters": Spread.of([run.row["character_accuracy"] for run in tried.runs]),
                }
                for tried in side.tried
            ]
    return points


def best_learning_rates(runs: Iterable[Run]) -> dict[tuple[str, int], float]:
    """For every kind and width the rate to train with: the fewest steps to 99% of strings, else the most letters.

    Of equals the one that comes first.

    Returns:
        Learning rates by `(kind, width)`.
    """
    best: dict[tuple[str, int], tuple[float, float, float]] = {}
    for run in runs:
        solved = run.first()
        key = run.kind, int(run.row["model"]["width"])
        steps = solved["step"] if solved else float("inf")
        result = (-steps, run.row["character_accuracy"], run.row["training"]["learning_rate"])
        if key not in best or result[:2] > best[key][:2]:
            best[key] = result
    return {key: rate for key, (_, _, rate) in best.items()}
