"""Looking inside: what a memory must hold, and what a trained model does with it."""

from crn_lib.analysis.capture import capture_pairs, mixed_by
from crn_lib.analysis.copier import cancellation_copier
from crn_lib.analysis.copy_sources import CopySources, copy_sources
from crn_lib.analysis.dictionary import KeyedLetters, keyed_letters
from crn_lib.analysis.edited_copy import EditedCopy, Moved, copy_without
from crn_lib.analysis.interventions import drop, freeze_scale, level, rescale, run_edited, swap_scales
from crn_lib.analysis.pairs import AttentionPairs, RelationPairs, attention_pairs, relation_pairs
from crn_lib.analysis.rank import best_senders, memory_rank, numerical_rank, pair_values
from crn_lib.analysis.readable import readable_senders, senders_seen
from crn_lib.analysis.relation_maps import (
    Influence,
    effective_senders,
    influence,
    most_aligned,
    most_amplified,
    most_attended,
    most_opposed,
    random_sender,
)
from crn_lib.analysis.retarget import letters_moved, moved_rows, receivers_of, run_retargeted
from crn_lib.analysis.scaling import PowerLaw, ScalingCurve, fit_power

__all__ = [
    "AttentionPairs",
    "CopySources",
    "EditedCopy",
    "Influence",
    "KeyedLetters",
    "Moved",
    "PowerLaw",
    "RelationPairs",
    "ScalingCurve",
    "attention_pairs",
    "best_senders",
    "cancellation_copier",
    "capture_pairs",
    "copy_sources",
    "copy_without",
    "drop",
    "effective_senders",
    "fit_power",
    "freeze_scale",
    "influence",
    "keyed_letters",
    "letters_moved",
    "level",
    "memory_rank",
    "mixed_by",
    "most_aligned",
    "most_amplified",
    "most_attended",
    "most_opposed",
    "moved_rows",
    "numerical_rank",
    "pair_values",
    "random_sender",
    "readable_senders",
    "receivers_of",
    "relation_pairs",
    "rescale",
    "run_edited",
    "run_retargeted",
    "senders_seen",
    "swap_scales",
]
