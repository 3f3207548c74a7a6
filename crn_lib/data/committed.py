"""The data that come with the library; `NOTICE` beside them says whose they are."""

import gzip
import io
from pathlib import Path

import numpy as np

from crn_lib.data.splits import Bytes, Images, Split, require_seed, split_images, split_text

HERE = Path(__file__).parent


def sonnets() -> Split[Bytes]:
    """Shakespeare's sonnets, 95,728 bytes of ASCII: eight tenths, one, and one.

    Example:
        >>> bytes(sonnets().train[:11])
        b'THE SONNETS'
    """
    return split_text(np.frombuffer((HERE / "sonnets.txt").read_bytes(), dtype=np.uint8))


def digits(seed: int = 0) -> Split[Images]:
    """1,797 handwritten digits of 8 x 8 pixels from 0 to 16, split at random.

    Raises:
        ConfigError: a seed that is no whole number from 0 on.

    Example:
        >>> [part.pixels.shape for part in digits()]
        [(1439, 8, 8, 1), (179, 8, 8, 1), (179, 8, 8, 1)]
    """
    require_seed(seed)
    text = gzip.decompress((HERE / "digits.csv.gz").read_bytes()).decode("ascii")
    table = np.loadtxt(io.StringIO(text), delimiter=",", dtype=np.int64)
    return split_images(Images(table[:, :-1].astype(np.uint8).reshape(-1, 8, 8, 1), table[:, -1]), seed)
