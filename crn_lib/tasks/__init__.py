"""The tasks: each a frozen configuration, and a class that draws problems and scores answers."""

from crn_lib.tasks.copying import BOS, EOS, NOT_SCORED, SEP, CopyingConfig, CopyingTask

__all__ = ["BOS", "EOS", "NOT_SCORED", "SEP", "CopyingConfig", "CopyingTask"]
