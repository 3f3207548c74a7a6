"""Helpers that come late, results that do not depend on them, and torch's own threads, which sleep early."""

import contextlib
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from crn_lib.ops.cpu import fused, threads
from crn_lib.ops.cpu.threads import kernel_threads, kernels_only, kernels_only_behind, run_shares
from tests.ops.relation_cases import pair, with_gradients


@pytest.fixture(autouse=True)
def no_call_too_small_for_threads(monkeypatch):
    monkeypatch.setattr(fused, "FEW", 0)


@pytest.fixture
def held_helper(use_threads):
    """Two threads, of which one cannot begin before the test has ended."""
    use_threads(2)
    threads.sleep_early()
    released = threading.Event()
    held = threads._workers(1).submit(released.wait, 20)
    yield held
    released.set()
    held.result()


def test_a_helper_that_never_begins_is_not_waited_for(held_helper, use_threads):
    a, b = pair(3, 33, 18)
    found = with_gradients(a, b, backend="fused")
    assert not held_helper.done()
    use_threads(1)
    for x, y in zip(found, with_gradients(a, b, backend="fused"), strict=True):
        assert torch.equal(x, y)


def test_the_caller_takes_over_a_late_helpers_share(held_helper):
    taken = []
    run_shares(lambda share, shares, word: taken.append((share, shares, word)), 2, "word")
    assert taken == [(0, 2, "word"), (1, 2, "word")] and not held_helper.done()


def test_each_share_is_taken_once(use_threads):
    counts = np.zeros(5, np.int64)
    for _ in range(200):
        run_shares(lambda share, shares: counts.__setitem__(share, counts[share] + 1), 5)
    assert (counts == 200).all()


@pytest.mark.parametrize("batch", [1, 2, 3, 20])
@pytest.mark.parametrize("causal", [True, False])
def test_the_number_of_threads_changes_no_bit(use_threads, batch, causal):
    a, b = pair(batch, 41, 18, dtype=torch.float32)
    use_threads(1)
    truth = with_gradients(a, b, heads=2, causal=causal, backend="fused")
    for count in (2, 3, 5):
        use_threads(count)
        for _ in range(3):
            found = with_gradients(a, b, heads=2, causal=causal, backend="fused")
            assert all(torch.equal(x, y) for x, y in zip(found, truth, strict=True))


def test_a_small_call_takes_one_thread(monkeypatch, use_threads):
    use_threads(3)
    assert fused._threads(1, 40, 18) == 3
    monkeypatch.setattr(fused, "FEW", 1 + 20 * 41 * 18)
    assert fused._threads(1, 40, 18) == 1 and fused._threads(2, 40, 18) == 3


def test_torch_keeps_to_one_thread_where_only_kernels_may_take_more(use_threads):
    use_threads(3)

    def seen():
        return torch.get_num_threads(), kernel_threads(), fused._threads(1, 40, 18)

    with contextlib.suppress(KeyError), kernels_only(), kernels_only():
        assert seen() == (1, 3, 3)
        raise KeyError
    with kernels_only(wanted=False):
        assert seen() == (3, 3, 3)
    use_threads(1)
    with kernels_only():
        assert seen() == (1, 1, 1)


def test_torchs_threads_are_sent_to_sleep_when_torch_has_some(monkeypatch, use_threads):
    calls = []
    monkeypatch.setattr(threads, "sleep_early", lambda: calls.append(torch.get_num_threads()))
    a, b = pair(2, 33, 18)
    use_threads(2)
    with kernels_only():
        with_gradients(a, b, backend="fused")
    assert calls == [2], "before torch is limited, since nothing can be made so while it is"
    with_gradients(a, b, backend="fused")
    assert set(calls) == {2}
    calls.clear()
    threads.run_shares(lambda share, shares: None, 1)
    assert calls == [2]
    calls.clear()
    monkeypatch.setattr(fused, "FEW", 10**9)
    with_gradients(a, b, backend="fused")
    assert set(calls) == {2}, "also where a kernel takes one thread"


def test_a_backward_pass_is_limited_from_a_tensor_on_to_its_end_and_a_failed_one_until_the_next(use_threads):
    use_threads(3)
    seen = []

    def note(_):
        seen.append((torch.get_num_threads(), kernel_threads()))

    x = torch.ones(3, requires_grad=True)

    def result():
        early = x * 1.0
        early.register_hook(note)
        late = kernels_only_behind(early * 2) * 3
        late.register_hook(note)
        return late.sum()

    result().backward()
    assert seen == [(3, 3), (1, 3)] and torch.get_num_threads() == 3
    failing = x.register_hook(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        result().backward()
    failing.remove()
    assert (torch.get_num_threads(), kernel_threads()) == (1, 3)
    result().backward()
    assert torch.get_num_threads() == kernel_threads() == 3
    with kernels_only():
        result().backward()
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("batch", [1, 9])
def test_no_result_depends_on_what_memory_held(use_threads, batch):
    use_threads(2)
    a, b = pair(batch, 27, 18, dtype=torch.float32)
    truth = with_gradients(a, b, heads=3, backend="fused")
    torch.use_deterministic_algorithms(True)  # fills what `torch.empty` gives with NaN
    try:
        found = with_gradients(a, b, heads=3, backend="fused")
        assert torch.empty(3).isnan().all()
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(x, y) for x, y in zip(found, truth, strict=True))


BURNED = """
import torch
torch.set_num_threads(2)
import os, time
from crn_lib.ops.cpu.threads import sleep_early
def burned():
    torch.ones(2**18).exp_()
    begun = time.process_time()
    time.sleep(0.05)
    return time.process_time() - begun
before = min(burned() for _ in range(5))
sleep_early()
print(before, min(burned() for _ in range(5)))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="another OpenMP runtime than libgomp")
def test_torchs_threads_sleep_early_though_torch_came_first(monkeypatch):
    """In seconds of processor time that waiting takes after an operation on two threads."""
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    ran = subprocess.run([sys.executable, "-c", BURNED], capture_output=True, text=True, check=True)
    before, after = map(float, ran.stdout.split())
    if before < 1e-3:
        pytest.skip("torch's threads do not spin here: more threads than processors")
    assert after < before / 3
