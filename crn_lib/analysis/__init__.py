"""Looking inside: what a memory must hold, and what a trained model does with it."""

from crn_lib.analysis.dictionary import KeyedLetters, keyed_letters
from crn_lib.analysis.rank import memory_rank, numerical_rank, pair_values

__all__ = ["KeyedLetters", "keyed_letters", "memory_rank", "numerical_rank", "pair_values"]
