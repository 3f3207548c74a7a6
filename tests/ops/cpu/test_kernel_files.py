"""What is kept of a compiled kernel: read if it is whole, compiled anew if not, and `crn doctor` says so."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.cpu import CPUContext

from crn_lib import doctor
from crn_lib.ops.cpu import kernel_cache
from crn_lib.ops.cpu.kernel_cache import kernel, where_kept


@pytest.fixture
def double(tmp_path, monkeypatch):
    """A function in a file of its own, called once as a kernel, so that two files are kept."""
    monkeypatch.setattr(kernel_cache, "KERNELS", [])
    file = tmp_path / "doubling.py"
    file.write_text("def double(x):\n    return 2 * x\n")
    spec = importlib.util.spec_from_file_location("doubling", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert kernel(True)(module.double)(3.0) == 6.0
    assert where_kept() == (str(tmp_path / "__pycache__"), "")
    return module.double


def index_and_code(folder: Path) -> tuple[Path, Path]:
    (index,), (code,) = (list((folder / "__pycache__").glob(f"*.{kind}")) for kind in ("nbi", "nbc"))
    return index, code


def hits(made) -> int:
    return sum(made.stats.cache_hits.values())


def test_what_is_whole_is_read(double):
    again = kernel(True)(double)
    assert again(4.0) == 8.0 and hits(again) == 1


def zeros_inside(data: bytes) -> bytes:
    """What a power failure leaves of a file whose length is on the disk and whose pages are not."""
    return data[:200] + bytes(len(data) - 300) + data[-100:]


def test_what_is_read_is_not_preceded_by_all_that_numba_needs_to_compile(double, monkeypatch):
    monkeypatch.setattr(CPUContext, "refresh", lambda self: pytest.fail("a quarter of a second for nothing"))
    assert kernel(True)(double)(4.0) == 8.0


@pytest.mark.parametrize("watched", [True, False])
def test_whoever_watches_is_told_once_why_the_first_call_takes_long(double, tmp_path, monkeypatch, capsys, watched):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    kernel_cache._say_that_it_takes_a_while.cache_clear()
    made = kernel(True)(double)
    assert made(4.0) == 8.0 and capsys.readouterr().err == "", "it was on disk"
    assert made(4) == 8 and made(4j) == 8j
    assert capsys.readouterr().err.count("compiling for this processor") == int(watched)


DAMAGES = {
    "empty": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "overwritten": lambda data: b"not what Numba wrote",
    "zeros": zeros_inside,
    "one bit": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
}


@pytest.mark.parametrize("which", [0, 1], ids=["index", "code"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_damaged_is_named_compiled_anew_and_kept_again(double, tmp_path, which, damage):
    path = index_and_code(tmp_path)[which]
    path.write_bytes(damage(path.read_bytes()))
    assert where_kept()[1], "the doctor would say nothing"
    anew = kernel(True)(double)
    assert anew(4.0) == 8.0 and hits(anew) == 0
    again = kernel(True)(double)
    assert again(5.0) == 10.0 and hits(again) == 1 and where_kept()[1] == ""


def test_what_another_user_may_read_alone_is_compiled_in_every_process(double, tmp_path, monkeypatch):
    index, _ = index_and_code(tmp_path)
    real = Path.open

    def mine_only(self, *arguments, **options):
        if self == index:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *arguments, **options)

    def no_flush(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", mine_only)
    monkeypatch.setattr(kernel_cache.KernelCache, "flush", no_flush)
    for _ in range(2):
        anew = kernel(True)(double)
        assert anew(4.0) == 8.0 and hits(anew) == 0
    assert where_kept()[1] == f"[Errno 13] Permission denied: '{index}'"
    monkeypatch.setattr(doctor, "fused_cpu_missing", lambda: "")
    found = next(finding for finding in doctor.examine() if finding.what == "compiled kernels")
    assert found.state == "note" and found.detail.startswith("[Errno 13]") and "compiled anew" in found.detail


def test_a_kernel_that_cannot_be_kept_runs(double, tmp_path, monkeypatch):
    for path in index_and_code(tmp_path):
        path.unlink()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernel_cache._WithChecksum, "_save_data", full)
    assert kernel(True)(double)(4.0) == 8.0


WITHOUT = {
    "no folder": ("from numba.core.caching import CacheImpl; CacheImpl._locator_classes = []", {}, "NUMBA_CACHE_DIR"),
    "no compiler": ("", {"NUMBA_DISABLE_JIT": "1"}, "NUMBA_DISABLE_JIT is set"),
    "no Numba": ("import sys; sys.modules['numba'] = None", {}, "Numba cannot be used here"),
    "a setting that cannot be": ("", {"NUMBA_NUM_THREADS": "-3"}, "Numba"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("before", "environment", "reason"), WITHOUT.values(), ids=WITHOUT)
def test_whatever_keeps_numba_away_all_is_computed_and_the_doctor_says_why(before, environment, reason):
    script = f"""
{before}
import torch
from crn_lib.doctor import examine
from crn_lib.models import ModelConfig, build_model
from crn_lib.ops import relation
rows = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(0))
for norm in ("exact", "approx"):
    torch.testing.assert_close(relation(rows, rows, norm=norm), relation(rows, rows, norm=norm, backend="naive"))
build_model(ModelConfig(kind="ssm", width=8, blocks=1))(torch.tensor([[0, 3]])).sum().backward()
print(next(finding.detail for finding in examine() if finding.what == "exact relation"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert reason in done.stdout and ("pip install numba" in done.stdout) == ("None" in before)
