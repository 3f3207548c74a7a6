"""A kernel on disk is of today's sources: those of the files it inlines too."""

import importlib.util
import sys

import numba
import numpy as np
import pytest

from crn_lib.ops.cpu import decoding, fused_kernels, scan, selective_scan
from crn_lib.ops.cpu.kernel_cache import KernelCache, kernel, stamp_of, unchanged


@pytest.mark.parametrize("kernels", [decoding, fused_kernels, scan, selective_scan], ids=lambda m: m.__name__)
def test_the_stamp_is_that_of_the_inlined_files(kernels):
    today = stamp_of(*kernels.INLINED)
    assert today == kernels.STAMP, f'a file that {kernels.__file__} inlines has changed: write STAMP = "{today}" there'


@pytest.mark.parametrize("kernels", [decoding, fused_kernels, scan, selective_scan], ids=lambda m: m.__name__)
def test_all_own_modules_that_hold_compiled_code_are_named(kernels):
    """Those that the kernel's file imports from, and those that these import from in turn."""

    def compiled_from(module):
        names = {getattr(value, "__module__", None) for value in vars(module).values()}
        own = {name for name in names if name and name.startswith("crn_lib.ops.") and name != module.__name__}
        return {
            sys.modules[name]
            for name in own
            if "njit" in vars(sys.modules[name]) or "overload" in vars(sys.modules[name])
        }

    found, waiting = set(), [kernels]
    while waiting:
        new = compiled_from(waiting.pop()) - found - {kernels}
        found |= new
        waiting += new
    assert found == set(kernels.INLINED)


def test_an_edit_is_noticed_and_other_line_endings_are_not(tmp_path):
    def module(text):
        path = tmp_path / "edited.py"
        path.write_bytes(text)
        return importlib.util.module_from_spec(importlib.util.spec_from_file_location("edited", path))

    stamp = stamp_of(module(b"X = 1\nY = 2\n"))
    assert unchanged(stamp, module(b"X = 1\r\nY = 2\r\n"))
    assert not unchanged(stamp, module(b"X = 1\nY = 3\n"))


def test_two_processes_that_first_compile_one_kernel_do_not_take_each_others_code(tmp_path, monkeypatch):
    """Both look into the index before either has written: for float32 and for float64, as two lessons may."""

    @kernel(kept=False)
    def bits(x):
        return x.itemsize * 8

    for name in ("float32", "float64"):
        bits.compile((numba.from_dtype(np.dtype(name))[:],))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    ours, theirs = KernelCache(bits.py_func), KernelCache(bits.py_func)
    overloads = {signature[0].dtype.name: found for signature, found in bits.overloads.items()}
    monkeypatch.setattr(theirs._cache_file, "_load_index", dict)
    ours.save_overload(overloads["float32"].signature.args, overloads["float32"])
    theirs.save_overload(overloads["float64"].signature.args, overloads["float64"])
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*.nbc")}
    assert len(files) == 2, "each has a file of its own"

    fresh = KernelCache(bits.py_func)
    for name in ("float32", "float64"):
        found = fresh.load_overload(overloads[name].signature.args, bits.targetctx)
        assert found is None or found.signature == overloads[name].signature
