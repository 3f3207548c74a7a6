"""Data that others made: what comes with the library, loaders for the rest, and what is measured without a model."""

from crn_lib.data.baselines import (
    bz2_bits_per_byte,
    majority_accuracy,
    nearest_neighbour_accuracy,
    ngram_bayes_accuracy,
    perplexity_per_word,
    ridge_accuracy,
    unigram_bits_per_byte,
)
from crn_lib.data.committed import digits, sonnets
from crn_lib.data.names import Names, names
from crn_lib.data.splits import Bytes, DataError, Images, Sentences, Split

__all__ = [
    "Bytes",
    "DataError",
    "Images",
    "Names",
    "Sentences",
    "Split",
    "bz2_bits_per_byte",
    "digits",
    "majority_accuracy",
    "names",
    "nearest_neighbour_accuracy",
    "ngram_bayes_accuracy",
    "perplexity_per_word",
    "ridge_accuracy",
    "sonnets",
    "unigram_bits_per_byte",
]
