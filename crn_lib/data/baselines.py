"""What a model of real data is measured against: packing and counting for text, neighbours and a line for images."""

import bz2
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crn_lib.config import ConfigError, require, require_number, require_whole
from crn_lib.data.checks import check_alike, check_bytes, check_sentences, check_words, checked_classes
from crn_lib.data.splits import Bytes, Images, Sentences


def bz2_bits_per_byte(text: Bytes, after: Bytes | None = None) -> float:
    """Bits that bzip2 takes for a byte of the text; with `after`, those it takes more when it has packed that already.

    Raises:
        DataError: an empty text, or what is no array of bytes.

    Example:
        >>> bz2_bits_per_byte(np.zeros(10_000, dtype=np.uint8)) < 0.05
        True
    """
    check_bytes("text", text)
    if after is not None:
        check_bytes("after", after, least=0)
    known = b"" if after is None else after.tobytes()
    more = len(bz2.compress(known + text.tobytes())) - (len(bz2.compress(known)) if known else 0)
    return 8 * more / len(text)


def unigram_bits_per_byte(text: Bytes, counted: Bytes | None = None) -> float:
    """Bits a byte that the frequencies of the bytes alone need: the text's order-0 entropy.

    Args:
        counted: if given, the frequencies are of this text, each byte counted once more so that none is impossible:
            the cross entropy of a model that knows nothing of what came before.

    Raises:
        DataError: an empty text, or what is no array of bytes.

    Example:
        >>> unigram_bits_per_byte(np.array([0, 1, 2, 3] * 5, dtype=np.uint8))
        2.0
    """
    check_bytes("text", text)
    if counted is not None:
        check_bytes("counted", counted, least=0)
    found = np.bincount(text, minlength=256) / len(text)
    counts = np.bincount(text if counted is None else counted, minlength=256) + (counted is not None)
    seen = found > 0
    return float(-(found[seen] * np.log2(counts[seen] / counts.sum())).sum())


def perplexity_per_word(bits_per_byte: float, text: Bytes) -> float:
    """What bits a byte are as a perplexity of the words (what spaces part) of the text.

    Raises:
        ConfigError: bits that are no number from 0 on, or more than a float can tell of.
        DataError: a text without a word, or what is no array of bytes.

    Example:
        >>> perplexity_per_word(1.0, np.frombuffer(b"one two ", dtype=np.uint8))
        16.0
    """
    require_number("bits_per_byte", bits_per_byte, 0)
    check_words("text", text)
    bits = bits_per_byte * len(text) / len(text.tobytes().split())
    require(bits < 1024, f"bits_per_byte must leave less than 1024 bits a word; got {bits_per_byte}, {bits:g} a word")
    return float(2**bits)


def majority_accuracy(train: Sequence[int] | NDArray[np.int64], test: Sequence[int] | NDArray[np.int64]) -> float:
    """Accuracy on the test of the class that is most frequent in training.

    Raises:
        DataError: no classes in one of them, or what is no class.

    Example:
        >>> majority_accuracy([1, 1, 0], [1, 0, 0, 0])
        0.25
    """
    known, asked = checked_classes("train", train), checked_classes("test", test)
    return float(np.mean(asked == np.bincount(known).argmax()))


def nearest_neighbour_accuracy(train: Images, test: Images) -> float:
    """Accuracy of the class of the training image that is nearest in its pixels.

    Raises:
        DataError: no images in one of them, or images of two sizes.

    Example:
        >>> train, validation, _ = digits()
        >>> nearest_neighbour_accuracy(train, validation) > 0.95
        True
    """
    check_alike(train, test)
    known, asked = _flat(train), _flat(test)
    distances = (asked**2).sum(1)[:, None] - 2 * asked @ known.T + (known**2).sum(1)
    return float(np.mean(train.classes[distances.argmin(axis=1)] == test.classes))


def ridge_accuracy(train: Images, test: Images, penalty: float = 1.0) -> float:
    """Accuracy of ridge regression from the pixels to the classes, each 1 or 0, with an intercept.

    Raises:
        ConfigError: a penalty that is no number from 0 on, or too small a one for pixels that depend on others.
        DataError: no images in one of them, or images of two sizes.

    Example:
        >>> train, validation, _ = digits()
        >>> ridge_accuracy(train, validation) > 0.9
        True
    """
    check_alike(train, test)
    require_number("penalty", penalty, 0)
    known, asked = _flat(train), _flat(test)
    mean = known.mean(axis=0)
    wanted = np.eye(int(train.classes.max()) + 1)[train.classes]
    centred = known - mean
    try:
        weights = np.linalg.solve(
            centred.T @ centred + penalty * np.eye(known.shape[1]), centred.T @ (wanted - wanted.mean(axis=0))
        )
    except np.linalg.LinAlgError:
        says = f"penalty must be larger where pixels are equal in all images or depend on others; got {penalty}"
        raise ConfigError(says) from None
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

    Raises:
        ConfigError: an n or a number of bytes below 1.
        DataError: no sentences in one of them, not as many classes, or what is neither text nor class.

    Example:
        >>> train = Sentences([("so good",), ("so bad",)], [1, 0])
        >>> ngram_bayes_accuracy(train, Sentences([("good so",), ("bad, bad",)], [1, 0]))
        1.0
    """
    for name, sentences in (("train", train), ("test", test)):
        check_sentences(name, sentences)
    require(isinstance(sizes, Sequence), f"sizes must be whole numbers, as in (3, 4, 5); got {sizes!r}")
    for n in sizes:
        require_whole("an n of sizes", n)
    require_whole("longest", longest)
    counts: dict[int, Counter[bytes]] = {kind: Counter() for kind in train.classes}
    for parts, kind in zip(train.parts, train.classes, strict=True):
        counts[kind].update(_ngrams(parts, sizes, longest))
    known = max(1, len(set().union(*counts.values())))  # none where all sentences are shorter than every n
    sums = {kind: own.total() + known for kind, own in counts.items()}
    often = Counter(train.classes)

    def likeliest(ngrams: list[bytes]) -> int:
        def score(kind: int) -> float:
            own = (math.log((counts[kind][ngram] + 1) / sums[kind]) for ngram in ngrams)
            return math.log(often[kind]) + math.fsum(own)

        return max(counts, key=score)

    right = [
        likeliest(_ngrams(parts, sizes, longest)) == truth
        for parts, truth in zip(test.parts, test.classes, strict=True)
    ]
    return sum(right) / len(right)


def _ngrams(parts: tuple[str, ...], sizes: Sequence[int], longest: int) -> list[bytes]:
    text = "\n".join(parts).encode()[:longest]
    return [text[i : i + n] for n in sizes for i in range(len(text) - n + 1)]
