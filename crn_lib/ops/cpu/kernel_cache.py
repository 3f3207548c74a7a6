"""Compiled kernels are kept on disk only for sources that have not changed.

Numba stores what it compiled beside the source, and compiles anew when the kernel's OWN file changes. It does not see
that a file it imports compiled code from has changed, and would go on running the old code. So a kernel's file names
those files, and holds a stamp of their text:

    INLINED = (simd, vector_math)
    STAMP = "0f3a9c51"
    KERNEL_OPTIONS = {"cache": unchanged(STAMP, *INLINED)}

Whoever edits one of them gets kernels that are compiled anew in every process, until `tests/ops/test_kernel_cache.py`
tells the new stamp; writing it down changes the kernel's own file, for everyone who pulls it.
"""

import hashlib
from pathlib import Path
from types import ModuleType


def stamp_of(*modules: ModuleType) -> str:
    """Eight hexadecimal digits that depend on the text of these modules' files, not on their line endings."""
    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8]


def unchanged(stamp: str, *modules: ModuleType) -> bool:
    """Whether these modules are still what the stamp was taken of, so that kernels compiled from them can be kept."""
    return stamp_of(*modules) == stamp
