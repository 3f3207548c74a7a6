"""A small configuration of every task whose tokens are drawn, for what holds of all of them."""

from crn_lib.tasks import (
    CopyingConfig,
    FuzzyRecallConfig,
    HopsConfig,
    MemorisationConfig,
    NgramLookupConfig,
    PermutationHopsConfig,
    RecallConfig,
    SelectiveCopyingConfig,
)

SMALL = {
    "copying": CopyingConfig(string_length=2, shortest=1, vocab=3),
    "fuzzy_recall": FuzzyRecallConfig(vocab=8, length=15, key_length=2, value_length=2),
    "hops": HopsConfig(string_length=12, letters=3, hops=2),
    "memorisation": MemorisationConfig(vocab=9, length=6),
    "ngram_lookup": NgramLookupConfig(string_length=6, n=2, answer_length=2, letters=3),
    "permutation_hops": PermutationHopsConfig(nodes=4, names=5, hops=3, queries=3),
    "recall": RecallConfig(pairs=3, length=16, vocab=12),
    "selective_copying": SelectiveCopyingConfig(vocab=5, length=12, tokens=3),
}

OTHER = {"images", "regression", "sentences", "text"}
"""Tasks of vectors or of real data; what holds of them their own tests say."""
