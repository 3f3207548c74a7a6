"""What a model of real data is measured against: packing and counting for text, neighbours and a line for images."""

import bz2
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crn_lib.data.splits import Bytes, Images, Sentences


def bz2_bits_per_byte(text: Bytes, after: Bytes | None = None) -> float:
    """Bits that bzip2 takes for a byte of the text; with `after`, those it takes more when it has packed that already.

    Example:
        >>> bz2_bits_per_byte(np.zeros(10_000, dtype=np.uint8)) < 0.05
        True
    """
    known = b"" if after is None else after.tobytes()
    more = len(bz2.compress(known + text.tobytes())) - (len(bz2.compress(known)) if known else 0)
    return 8 * more / len(text)


def unigram_bits_per_byte(text: Bytes, counted: Bytes | None = None) -> float:
    """Bits a byte that the frequencies of the bytes alone need: the text's order-0 entropy.

    Args:
        counted: if given, the frequencies are of this text, each byte counted once more so that none is impossible:
            the cross entropy of a model that knows nothing of what came before.

    Example:
        >>> unigram_bits_per_byte(np.array([0, 1, 2, 3] * 5, dtype=np.uint8))
        2.0
    """
    found = np.bincount(text, minlength=256) / len(text)
    counts = np.bincount(text if counted is None else counted, minlength=256) + (counted is not None)
    seen = found > 0
    return float(-(found[seen] * np.log2(counts[seen] / counts.sum())).sum())


def perplexity_per_word(bits_per_byte: float, text: Bytes) -> float:
    """What bits a byte are as a perplexity of the words (what spaces part) of the text.

    Example:
        >>> perplexity_per_word(1.0, np.frombuffer(b"one two ", dtype=np.uint8))
        16.0
    """
    return float(2 ** (bits_per_byte * len(text) / len(text.tobytes().split())))


def majority_accuracy(train: Sequence[int] | NDArray[np.int64], test: Sequence[int] | NDArray[np.int64]) -> float:
    """Accuracy on the test of the class that is most frequent in training.

    Example:
        >>> majority_accuracy([1, 1, 0], [1, 0, 0, 0])
        0.25
    """
    return float(np.mean(np.asarray(test) == np.bincount(train).argmax()))


def nearest_neighbour_accuracy(train: Images, test: Images) -> float:
    """Accuracy of the class of the training image that is nearest in its pixels.

    Example:
        >>> train, validation, _ = digits()
        >>> nearest_neighbour_accuracy(train, validation) > 0.95
        True
    """
    known, asked = _flat(train), _flat(test)
    distances = (asked**2).sum(1)[:, None] - 2 * asked @ known.T + (known**2).sum(1)
    return float(np.mean(train.classes[distances.argmin(axis=1)] == test.classes))


def ridge_accuracy(train: Images, test: Images, penalty: float = 1.0) -> float:
    """Accuracy of ridge regression from the pixels to the classes, each 1 or 0, with an intercept.

    Example:
        >>> train, validation, _ = digits()
        >>> ridge_accuracy(train, validation) > 0.9
        True
    """
    known, asked = _flat(train), _flat(test)
    mean = known.mean(axis=0)
    wanted = np.eye(int(train.classes.max()) + 1)[train.classes]
    centred = known - mean
    weights = np.linalg.solve(
        centred.T @ centred + penalty * np.eye(known.shape[1]), centred.T @ (wanted - wanted.mean(axis=0))
    )
    return float(np.mean(((asked - mean) @ weights + wanted.mean(axis=0)).argmax(axis=1) == test.classes))


def _flat(images: Images) -> NDArray[np.float64]:
    return images.pixels.reshape(len(images.pixels), -1).astype(np.float64)


def ngram_bayes_accuracy(
    train: Sentences, test: Sentences, sizes: Sequence[int] = (3, 4, 5), longest: int = 128
) -> float:
    """Accuracy of counting: naive Bayes on the n-grams of bytes in each sentence, wherever they stand.

    Args:
        sizes: the n of the n-grams that are counted; each is counted once more in every class.
        longest: bytes of a sentence that are read at most.

    Example:
        >>> train = Sentences([("so good",), ("so bad",)], [1, 0])
        >>> ngram_bayes_accuracy(train, Sentences([("good so",), ("bad, bad",)], [1, 0]))
        1.0
    """
    counts: dict[int, Counter[bytes]] = {kind: Counter() for kind in train.classes}
    for parts, kind in zip(train.parts, train.classes, strict=True):
        counts[kind].update(_ngrams(parts, sizes, longest))
    known = len(set().union(*counts.values()))
    sums = {kind: own.total() + known for kind, own in counts.items()}
    often = Counter(train.classes)

    def score(parts: tuple[str, ...], kind: int) -> float:
        own = (math.log((counts[kind][ngram] + 1) / sums[kind]) for ngram in _ngrams(parts, sizes, longest))
        return math.log(often[kind]) + math.fsum(own)

    right = [
        max(counts, key=lambda kind: score(parts, kind)) == truth
        for parts, truth in zip(test.parts, test.classes, strict=True)
    ]
    return sum(right) / len(right)


def _ngrams(parts: tuple[str, ...], sizes: Sequence[int], longest: int) -> list[bytes]:
    text = "\n".join(parts).encode()[:longest]
    return [text[i : i + n] for n in sizes for i in range(len(text) - n + 1)]
