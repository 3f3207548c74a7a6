"""A kernel on disk is of today's sources: those of the files it inlines too."""

import importlib.util
import sys

import pytest

from crn_lib.ops.cpu import decoding, fused_kernels, scan, selective_scan
from crn_lib.ops.cpu.kernel_cache import stamp_of, unchanged


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
