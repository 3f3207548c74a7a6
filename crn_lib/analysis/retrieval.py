"""How a trained copier finds the letter to copy: what its pairs look like there, and what it does without them.

All measures are about the positions that write a letter. The one that writes EOS is counted apart: where a string ends
can be told from the position alone, so nothing need be looked up for it.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from crn_lib.analysis.copy_sources import copy_sources
from crn_lib.analysis.interventions import Edit, drop, freeze_others, freeze_scale, level, run_edited, swap_scales
from crn_lib.analysis.pairs import AttentionPairs, RelationPairs
from crn_lib.analysis.relation_maps import (
    effective_senders,
    influence,
    largest,
    most_aligned,
    most_amplified,
    most_attended,
    most_opposed,
    random_sender,
)
from crn_lib.models import SequenceModel
from crn_lib.tasks import CopyingTask

RELATION_DROPS = ("drop_opposed", "drop_aligned", "drop_source", "drop_random")
"""Drop the most anti-aligned sender, the most aligned one, the source, or a random other one."""

RELATION_EDITS = (
    *RELATION_DROPS,
    *("level_opposed", "level_random", "swap_opposed", "swap_random"),
    *("freeze", "freeze_but_source", "freeze_but_random"),
)
"""Beside these, give the most anti-aligned sender, or a random other one, the mean scale; exchange the scales of the
most anti-aligned sender and a random one, or of two random others; give all pairs one scale, or all but the source, or
all but a random other one."""

ATTENTION_EDITS = ("drop_attended", "drop_source", "drop_random")


def look(pairs: RelationPairs | AttentionPairs, sources: Tensor) -> dict[str, float]:
    """What one block's pairs say about the source, as means over all strings, heads and positions that write a letter.

    Args:
        pairs: of the rows that write the answer, EOS last.
        sources: `(rows,)`.

    Returns:
        For both kinds of block `effective_senders`, `seen_senders`, and `..._is_source`, shares of positions. For a
        relation also correlation, scale, share of the output and peak at the source, and some of them elsewhere; who
        is `amplified` most only where the pairs have scales of their own.
    """
    source = sources.expand(pairs.weight.shape[:3])
    others = pairs.visible & (torch.arange(pairs.weight.shape[-1], device=source.device) != sources[:, None])
    others = others[:-1]

    def here(values: Tensor) -> float:
        return values.gather(-1, source[..., None])[:, :, :-1].mean().item()

    def elsewhere(values: Tensor) -> float:
        return values[:, :, :-1][:, :, others].mean().item()

    def found(name: str, sender: Tensor) -> dict[str, float]:
        right = (sender == source).double()
        return {
            f"{name}_is_source": right[..., :-1].mean().item(),
            f"eos_{name}_is_source": right[..., -1].mean().item(),
        }

    seen = {"seen_senders": pairs.visible[:-1].sum(-1).double().mean().item()}
    if isinstance(pairs, AttentionPairs):
        return {
            **found("attended", most_attended(pairs)),
            "weight_source": here(pairs.weight),
            "weight_elsewhere": elsewhere(pairs.weight),
            "effective_senders": effective_senders(pairs.weight)[..., :-1].mean().item(),
            **seen,
        }
    influences, correlation = influence(pairs), pairs.correlation
    one_scale = bool((pairs.scale == 1).all())
    return {
        **found("opposed", most_opposed(pairs)),
        **found("aligned", most_aligned(pairs)),
        **({} if one_scale else found("amplified", most_amplified(pairs))),
        **found("strongest", largest(influences.share, pairs)),
        "correlation_source": here(correlation),
        "correlation_elsewhere": elsewhere(correlation),
        "scale_source": here(pairs.scale),
        "scale_elsewhere": elsewhere(pairs.scale),
        "share_source": here(influences.share),
        "peak_source": here(influences.peak),
        "peak_elsewhere": elsewhere(influences.peak),
        "effective_senders": effective_senders(influences.strength)[..., :-1].mean().item(),
        **seen,
    }


def named_edit(name: str, sources: Tensor, generator: torch.Generator) -> Edit:
    """One of `RELATION_EDITS` or `ATTENTION_EDITS`. Whom it means is read from the pairs as they are when it is made.

    Args:
        sources: `(rows,)`.
        generator: of the random senders; they are never the source.
    """

    def edit(pairs: RelationPairs | AttentionPairs) -> RelationPairs | AttentionPairs:
        source = sources.expand(pairs.weight.shape[:3])

        def other(*more: Tensor) -> Tensor:
            return random_sender(pairs, (source, *more), generator)

        whole: dict[str, Callable[[], Edit]] = {
            "drop_source": lambda: drop(source),
            "drop_random": lambda: drop(other()),
        }
        if isinstance(pairs, AttentionPairs):
            whole["drop_attended"] = lambda: drop(most_attended(pairs))
        else:
            whole |= {
                "drop_opposed": lambda: drop(most_opposed(pairs)),
                "drop_aligned": lambda: drop(most_aligned(pairs)),
                "level_opposed": lambda: level(most_opposed(pairs)),
                "level_random": lambda: level(other()),
                "swap_opposed": lambda: swap_scales(most_opposed(pairs), other()),
                "swap_random": lambda: swap_scales(first := other(), other(first)),
                "freeze": lambda: freeze_scale,
                "freeze_but_source": lambda: freeze_others(source),
                "freeze_but_random": lambda: freeze_others(other()),
            }
        return whole[name]()(pairs)

    return edit


def score_edited(
    model: SequenceModel, task: CopyingTask, tokens: Tensor, targets: Tensor, edits: dict[int, Edit]
) -> dict[str, float]:
    """Teacher-forced accuracies of a model some of whose blocks are edited where the answer is written.

    Returns:
        `letters` and `eos`, shares of positions that are right; `character_accuracy` and `string_accuracy` as the task
        scores them.
    """
    rows = copy_sources(task.config.string_length).rows
    predictions = run_edited(model, tokens, edits, rows).argmax(-1)
    right = (predictions == targets)[:, rows].double()
    return {
        "letters": right[:, :-1].mean().item(),
        "eos": right[:, -1].mean().item(),
        **task.metrics(predictions, targets),
    }
