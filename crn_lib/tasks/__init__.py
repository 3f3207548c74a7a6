"""The tasks: each a frozen configuration, and a class that draws problems and scores answers."""

from crn_lib.tasks.bounds import (
    best_character_accuracy,
    best_string_accuracy,
    bits_carried,
    letters_that_fit,
    string_bits,
)
from crn_lib.tasks.close_pairs import EDGE, ClosePairsConfig, ClosePairsTask
from crn_lib.tasks.copying import BOS, EOS, NOT_SCORED, SEP, CopyingConfig, CopyingTask
from crn_lib.tasks.evaluate import CopyTrace, free_running, teacher_forced, trace_copy
from crn_lib.tasks.fuzzy_recall import FuzzyRecallConfig, FuzzyRecallTask
from crn_lib.tasks.hops import HopsConfig, HopsTask
from crn_lib.tasks.memorisation import MemorisationConfig, MemorisationTask
from crn_lib.tasks.ngram_lookup import NgramLookupConfig, NgramLookupTask
from crn_lib.tasks.permutation_hops import PermutationHopsConfig, PermutationHopsTask
from crn_lib.tasks.recall import RecallConfig, RecallTask
from crn_lib.tasks.registry import (
    TASKS,
    GroupedTask,
    Task,
    TaskConfig,
    TaskKind,
    build_task,
    task_configs,
    task_name,
)

__all__ = [
    "BOS",
    "EDGE",
    "EOS",
    "NOT_SCORED",
    "SEP",
    "TASKS",
    "ClosePairsConfig",
    "ClosePairsTask",
    "CopyTrace",
    "CopyingConfig",
    "CopyingTask",
    "FuzzyRecallConfig",
    "FuzzyRecallTask",
    "GroupedTask",
    "HopsConfig",
    "HopsTask",
    "MemorisationConfig",
    "MemorisationTask",
    "NgramLookupConfig",
    "NgramLookupTask",
    "PermutationHopsConfig",
    "PermutationHopsTask",
    "RecallConfig",
    "RecallTask",
    "Task",
    "TaskConfig",
    "TaskKind",
    "best_character_accuracy",
    "best_string_accuracy",
    "bits_carried",
    "build_task",
    "free_running",
    "letters_that_fit",
    "string_bits",
    "task_configs",
    "task_name",
    "teacher_forced",
    "trace_copy",
]
