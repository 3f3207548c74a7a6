"""The studies: which runs each asks for, what it measures, and what its rows say."""

from crn_lib.experiments.ablations import (
    ACTIVATION_NAMES,
    GRID,
    GRID_ACTIVATIONS,
    GRID_LENGTHS,
    Cell,
    Variant,
    ablation_cells,
    ablation_config,
    indispensable,
)
from crn_lib.experiments.cost import PAPER_LENGTHS
from crn_lib.experiments.memory import bytes_used, capacity, decode, marked_lengths, predicted_bytes
from crn_lib.experiments.retrieval import follows_receivers, looks_up_by, reads_opposed
from crn_lib.experiments.retrieval_onset import crossing, found_in_block, leaves_plateau, plateau

__all__ = [
    "ACTIVATION_NAMES",
    "GRID",
    "GRID_ACTIVATIONS",
    "GRID_LENGTHS",
    "PAPER_LENGTHS",
    "Cell",
    "Variant",
    "ablation_cells",
    "ablation_config",
    "bytes_used",
    "capacity",
    "crossing",
    "decode",
    "follows_receivers",
    "found_in_block",
    "indispensable",
    "leaves_plateau",
    "looks_up_by",
    "marked_lengths",
    "plateau",
    "predicted_bytes",
    "reads_opposed",
]
