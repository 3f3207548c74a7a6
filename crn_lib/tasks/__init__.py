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
from crn_lib.tasks.registry import TASKS, Task, TaskConfig, TaskKind, build_task, task_configs, task_name

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
