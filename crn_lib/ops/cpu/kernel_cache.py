"""Compiled kernels are kept on disk: only for sources that have not changed, and read only if they are whole.

Numba stores what it compiled beside the source, and compiles anew when the kernel's OWN file changes. It does not see
that a file it imports compiled code from has changed, and would go on running the old code. So a kernel's file names
those files, and holds a stamp of their text:

    INLINED = (simd, vector_math)
    STAMP = "0f3a9c51"
    KEPT = unchanged(STAMP, *INLINED)

Whoever edits one of them gets kernels that are compiled anew in every process, until
`tests/ops/cpu/test_kernel_cache.py` tells the new stamp; writing it down changes the kernel's own file, for everyone
who pulls it.

Nor does Numba look whether a file is what it wrote: one that is cut off, another user's that cannot be read, or one
with a changed byte of machine code ends in a traceback or a crash. Here each ends with its checksum; without a right
one it counts as not there.
"""

import hashlib
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.runtime import rtsys

HELPER: dict[str, Any] = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of `numba.njit` for what only compiled code calls. What Python and C would call it by is left out: it would
take a part of all compiling."""

KERNELS: list[Any] = []
"""All kernels that are kept, in the order in which their files were imported."""


def stamp_of(*modules: ModuleType) -> str:
    """Eight hexadecimal digits that depend on the text of these modules' files, not on their line endings."""
    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8]


def unchanged(stamp: str, *modules: ModuleType) -> bool:
    """Whether these modules are still what the stamp was taken of, so that kernels compiled from them can be kept."""
    return stamp_of(*modules) == stamp


class _WithChecksum(IndexDataCacheFile):
    """The files of one kernel. Unpickling stops before what follows, so Numba itself can read them too.

    A file's name is that of its signature. Numba counts them instead: where two processes first compile a kernel at
    once, one for float32 and one for float64, both can come to number 1, and one's code is run on the other's numbers.
    """

    def save(self, key: Any, data: Any) -> None:
        name = f"{self._index_name.removesuffix('nbi')}{hashlib.sha256(repr(key).encode()).hexdigest()[:12]}.nbc"
        self._save_data(name, data)
        self._save_index(self._load_index() | {key: name})

    def _dump(self, obj: Any) -> bytes:
        data: bytes = super()._dump(obj)
        return data + hashlib.sha256(data).digest()

    def _load_index(self) -> dict[Any, str]:
        with suppress(FileNotFoundError), Path(self._index_path).open("rb") as file:
            if pickle.load(file) != self._version:  # another version of Numba wrote it
                return {}
            _check(file.read(), self._index_path)
        found: dict[Any, str] = super()._load_index()
        return found

    def _load_data(self, name: str) -> Any:
        path = self._data_path(name)
        _check(Path(path).read_bytes(), path)
        return super()._load_data(name)


def _check(data: bytes, path: str) -> None:
    if hashlib.sha256(data[:-32]).digest() != data[-32:]:
        raise ValueError(f"{path} is damaged")


@cache
def _say_that_it_takes_a_while() -> None:
    """Once a process, on stderr, where a person is watching."""
    if sys.stderr.isatty() or "ipykernel" in sys.modules:
        print("crn_lib: compiling for this processor, once; seconds at each function's first use", file=sys.stderr)


class KernelCache(FunctionCache):
    """Where the kernels compiled from one function are kept."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _WithChecksum(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel for this signature; `None`, so that it is compiled, where it is not there or cannot be read."""
        found = None
        try:
            # Numba would load all that compiling needs, in a quarter of a second. Finished code wants memory only.
            rtsys.initialize(target_context)
            with self._guard_against_spurious_io_errors():
                found = self._load_overload(sig, target_context)
        except Exception:  # there is no saying what a damaged file raises
            with suppress(OSError):
                self.flush()  # so that what is compiled now can be kept
        if found is None:
            _say_that_it_takes_a_while()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a kernel where that can be done; it runs in this process all the same."""
        with suppress(OSError, ValueError):
            super().save_overload(sig, data)

    def trouble(self) -> str:
        """Why what is kept cannot be read, or an empty string."""
        try:
            for name in self._cache_file._load_index().values():
                with suppress(FileNotFoundError):
                    self._cache_file._load_data(name)
        except Exception as error:
            return str(error).partition("\n")[0] or type(error).__name__
        return ""


def kernel(kept: bool, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` with these options, and with a `KernelCache` if the kernel can be kept.

    Raises:
        RuntimeError: there is no folder to keep it in.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        made = numba.njit(**options)(function)
        if kept:
            made._cache = KernelCache(function)
            KERNELS.append(made)
        return made

    return compiled


def where_kept() -> tuple[str, str]:
    """The folder of the kernels whose files are imported, and why what is kept there cannot be read, if so."""
    caches: list[KernelCache] = [made._cache for made in KERNELS]
    trouble = next((words for cache in caches if (words := cache.trouble())), "")
    return (str(caches[0].cache_path) if caches else "", trouble)
