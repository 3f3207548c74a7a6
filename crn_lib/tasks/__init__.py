"""The tasks: each a frozen configuration, and a class that draws problems and scores answers."""

from crn_lib.tasks.bounds import (
    best_character_accuracy,
    best_string_accuracy,
    bits_carried,
    letters_that_fit,
    string_bits,
)
from crn_lib.tasks.close_pairs import EDGE, ClosePairsConfig, ClosePairsTask
from crn_lib.tasks.copying import BOS, EOS, SEP, CopyingConfig, CopyingTask
from crn_lib.tasks.estimators import (
    ESTIMATORS,
    averaged_projections,
    averaging,
    least_squares,
    nearest_neighbours,
    zero,
)
from crn_lib.tasks.evaluate import CopyTrace, free_running, teacher_forced, trace_copy
from crn_lib.tasks.fuzzy_recall import MAD as MAD_FUZZY_RECALL
from crn_lib.tasks.fuzzy_recall import MAD_NOISY_RECALL, MAD_RECALL, FuzzyRecallConfig, FuzzyRecallTask
from crn_lib.tasks.hops import PAPER as SANFORD_HOPS
from crn_lib.tasks.hops import HopsConfig, HopsTask
from crn_lib.tasks.images import ImagesConfig, ImagesTask
from crn_lib.tasks.loss import mean_loss, predict, scored
from crn_lib.tasks.memorisation import MAD as MAD_MEMORISATION
from crn_lib.tasks.memorisation import MemorisationConfig, MemorisationTask
from crn_lib.tasks.ngram_lookup import PAPER as REPEAT_AFTER_ME_LOOKUP
from crn_lib.tasks.ngram_lookup import NgramLookupConfig, NgramLookupTask
from crn_lib.tasks.permutation_hops import PAPER as DEPO_HOPS
from crn_lib.tasks.permutation_hops import PermutationHopsConfig, PermutationHopsTask
from crn_lib.tasks.recall import BASED as BASED_RECALL
from crn_lib.tasks.recall import PAPER as ZOOLOGY_RECALL
from crn_lib.tasks.recall import RecallConfig, RecallTask
from crn_lib.tasks.registry import TASKS, Task, TaskConfig, build_task
from crn_lib.tasks.regression import PAPER as GARG_REGRESSION
from crn_lib.tasks.regression import RegressionConfig, RegressionTask
from crn_lib.tasks.scores import NOT_SCORED
from crn_lib.tasks.selective_copying import MAD as MAD_SELECTIVE_COPYING
from crn_lib.tasks.selective_copying import SelectiveCopyingConfig, SelectiveCopyingTask
from crn_lib.tasks.sentences import SentencesConfig, SentencesTask
from crn_lib.tasks.text import TextConfig, TextTask

__all__ = [
    "BASED_RECALL",
    "BOS",
    "DEPO_HOPS",
    "EDGE",
    "EOS",
    "ESTIMATORS",
    "GARG_REGRESSION",
    "MAD_FUZZY_RECALL",
    "MAD_MEMORISATION",
    "MAD_NOISY_RECALL",
    "MAD_RECALL",
    "MAD_SELECTIVE_COPYING",
    "NOT_SCORED",
    "REPEAT_AFTER_ME_LOOKUP",
    "SANFORD_HOPS",
    "SEP",
    "TASKS",
    "ZOOLOGY_RECALL",
    "ClosePairsConfig",
    "ClosePairsTask",
    "CopyTrace",
    "CopyingConfig",
    "CopyingTask",
    "FuzzyRecallConfig",
    "FuzzyRecallTask",
    "HopsConfig",
    "HopsTask",
    "ImagesConfig",
    "ImagesTask",
    "MemorisationConfig",
    "MemorisationTask",
    "NgramLookupConfig",
    "NgramLookupTask",
    "PermutationHopsConfig",
    "PermutationHopsTask",
    "RecallConfig",
    "RecallTask",
    "RegressionConfig",
    "RegressionTask",
    "SelectiveCopyingConfig",
    "SelectiveCopyingTask",
    "SentencesConfig",
    "SentencesTask",
    "Task",
    "TaskConfig",
    "TextConfig",
    "TextTask",
    "averaged_projections",
    "averaging",
    "best_character_accuracy",
    "best_string_accuracy",
    "bits_carried",
    "build_task",
    "free_running",
    "least_squares",
    "letters_that_fit",
    "mean_loss",
    "nearest_neighbours",
    "predict",
    "scored",
    "string_bits",
    "teacher_forced",
    "trace_copy",
    "zero",
]
