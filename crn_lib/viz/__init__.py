"""Figures: pure functions from data to plotly figures. No computation is hidden in drawing."""

from crn_lib.units import show_bytes, show_count, show_seconds
from crn_lib.viz.ablations import draw_ablation_pair, draw_ablations
from crn_lib.viz.bench import draw_bench
from crn_lib.viz.beyond import draw_errors_by_examples, draw_fitted_line, draw_hops_by_depth, draw_score_by_bytes
from crn_lib.viz.bits import draw_bits_bound, draw_state_against_length
from crn_lib.viz.boxes import draw_three_memories
from crn_lib.viz.close_pairs import draw_close_pairs, draw_seed_accuracies
from crn_lib.viz.copying import draw_copy, draw_task_layout
from crn_lib.viz.cost import draw_cost_check, draw_workers
from crn_lib.viz.curves import draw_accuracy_against_state, draw_jump_or_slope, draw_training_curves, largest_gain
from crn_lib.viz.formats import (
    draw_broken_tensors,
    draw_error_map,
    draw_exponent_bound,
    draw_form_errors,
    draw_stalled_sums,
    show_error,
)
from crn_lib.viz.length_generalisation import draw_other_lengths
from crn_lib.viz.lengths import draw_accuracy_by_state, draw_copying_curves, draw_steps_to_solve
from crn_lib.viz.lookup_grid import Lookup, draw_lookups
from crn_lib.viz.meeting_points import draw_meeting_points
from crn_lib.viz.memory import draw_memory
from crn_lib.viz.multiples import draw_multiples
from crn_lib.viz.norm_circuit import NORM_PLACES, PAIR_FORMULAS, draw_norm_circuit
from crn_lib.viz.norm_places import (
    Answers,
    NormPlace,
    draw_answer,
    draw_norm_costs,
    draw_norm_place,
    draw_pair_scale,
    draw_rank_growth,
)
from crn_lib.viz.pair import draw_pair
from crn_lib.viz.plane import draw_nearest_is_loudest
from crn_lib.viz.rank import draw_singular_values
from crn_lib.viz.readable import draw_readable
from crn_lib.viz.relation_map import RelationMap, draw_relation_map
from crn_lib.viz.retrieval_onset import draw_retrieval_course
from crn_lib.viz.scaling import draw_scaling
from crn_lib.viz.tables import draw_factor_table, draw_mechanism
from crn_lib.viz.theme import KIND_NAMES, describe
from crn_lib.viz.waits import draw_waits

__all__ = [
    "KIND_NAMES",
    "NORM_PLACES",
    "PAIR_FORMULAS",
    "Answers",
    "Lookup",
    "NormPlace",
    "RelationMap",
    "describe",
    "draw_ablation_pair",
    "draw_ablations",
    "draw_accuracy_against_state",
    "draw_accuracy_by_state",
    "draw_answer",
    "draw_bench",
    "draw_bits_bound",
    "draw_broken_tensors",
    "draw_close_pairs",
    "draw_copy",
    "draw_copying_curves",
    "draw_cost_check",
    "draw_error_map",
    "draw_errors_by_examples",
    "draw_exponent_bound",
    "draw_factor_table",
    "draw_fitted_line",
    "draw_form_errors",
    "draw_hops_by_depth",
    "draw_jump_or_slope",
    "draw_lookups",
    "draw_mechanism",
    "draw_meeting_points",
    "draw_memory",
    "draw_multiples",
    "draw_nearest_is_loudest",
    "draw_norm_circuit",
    "draw_norm_costs",
    "draw_norm_place",
    "draw_other_lengths",
    "draw_pair",
    "draw_pair_scale",
    "draw_rank_growth",
    "draw_readable",
    "draw_relation_map",
    "draw_retrieval_course",
    "draw_scaling",
    "draw_score_by_bytes",
    "draw_seed_accuracies",
    "draw_singular_values",
    "draw_stalled_sums",
    "draw_state_against_length",
    "draw_steps_to_solve",
    "draw_task_layout",
    "draw_three_memories",
    "draw_training_curves",
    "draw_waits",
    "draw_workers",
    "largest_gain",
    "show_bytes",
    "show_count",
    "show_error",
    "show_seconds",
]
