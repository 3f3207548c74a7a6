"""The compiled scan against the recurrence written step by step."""

import numpy as np
import pytest
import torch
from torch import Tensor

from crn_lib.ops.selective_scan import selective_scan, selective_scan_reference, selective_step
from tests.ops.relation_cases import normal


def inputs(batch: int, length: int, channels: int, states: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    return [
        normal(batch, length, channels, seed=1, dtype=dtype),
        normal(batch, length, channels, seed=2, dtype=dtype).abs(),
        -normal(channels, states, seed=3, dtype=dtype).abs(),
        normal(batch, length, states, seed=4, dtype=dtype),
        normal(batch, length, states, seed=5, dtype=dtype),
    ]


def with_gradients(scan, tensors: list[Tensor]) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
    leaves = [x.detach().requires_grad_() for x in tensors]
    y, hidden = scan(*leaves)
    return y.detach(), hidden.detach(), torch.autograd.grad(y, leaves, normal(*y.shape, seed=6).to(y.dtype))


def test_the_reference_is_the_recurrence_written_with_loops():
    u, delta, A, B, C = inputs(2, 4, 3, 2)
    y, hidden = selective_scan_reference(u, delta, A, B, C)
    for n in range(2):
        for e in range(3):
            h = [0.0, 0.0]
            for t in range(4):
                step = delta[n, t, e]
                h = [(step * A[e, k]).exp() * h[k] + step * B[n, t, k] * u[n, t, e] for k in range(2)]
                torch.testing.assert_close(y[n, t, e], sum(C[n, t, k] * h[k] for k in range(2)))
            torch.testing.assert_close(hidden[n, e], torch.stack(h))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("length", [1, 2, 63, 100])
@pytest.mark.parametrize(("batch", "channels", "states"), [(1, 5, 3), (4, 18, 16)])
def test_the_compiled_scan_equals_the_reference(use_threads, threads, length, batch, channels, states):
    use_threads(threads)
    tensors = inputs(batch, length, channels, states)
    found = with_gradients(selective_scan, tensors)
    torch.testing.assert_close(found, with_gradients(selective_scan_reference, tensors), rtol=1e-9, atol=1e-11)


def test_float32_is_within_rounding_of_float64():
    tensors = inputs(2, 63, 18, 16, torch.float32)
    y, _, gradients = with_gradients(selective_scan, tensors)
    true_y, _, true_gradients = with_gradients(selective_scan_reference, [x.double() for x in tensors])
    for one, true in zip((y, *gradients), (true_y, *true_gradients), strict=True):
        assert one.dtype == torch.float32
        assert (one.double() - true).abs().max() < 4e-6 * true.abs().max()


def test_gradients_agree_with_finite_differences():
    leaves = [x.requires_grad_() for x in inputs(1, 4, 3, 2)]
    assert torch.autograd.gradcheck(lambda *x: selective_scan(*x)[0], leaves)


@pytest.mark.parametrize("channels", [16, 32])
def test_the_same_call_gives_the_same_bits_wherever_its_memory_lies(channels):
    tensors = inputs(2, 7, channels, 16, torch.float32)
    y, hidden, gradients = with_gradients(selective_scan, tensors)
    shuffler, held = np.random.default_rng(0), []
    for call in range(600):
        held.append(torch.empty(int(shuffler.integers(1, 200))))  # so that malloc gives other addresses
        if call % 3 == 0:
            held.pop(int(shuffler.integers(len(held))))
        again_y, again_hidden, again_gradients = with_gradients(selective_scan, tensors)
        pairs = zip((y, hidden, *gradients), (again_y, again_hidden, *again_gradients), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("missing", ["", "gone"], ids=["compiled", "without numba"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_scanned_in_float32_and_comes_back_as_half_precision(monkeypatch, dtype, missing):
    monkeypatch.setattr("crn_lib.ops.selective_scan.fused_cpu_missing", lambda: missing)
    tensors = inputs(1, 400, 6, 4, dtype)
    y, hidden = selective_scan(*tensors)
    assert y.dtype == dtype and hidden.dtype == torch.float32
    truth, last = selective_scan_reference(*(x.double() for x in tensors))
    torch.testing.assert_close(hidden.double(), last, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(y.double(), truth, rtol=torch.finfo(dtype).eps, atol=1e-5)  # rounded once
    u, delta, A, B, C = tensors
    stepped, state = selective_step(u[:, 0], torch.zeros(1, 6, 4), A, delta[:, 0], B[:, 0], C[:, 0])
    assert stepped.dtype == dtype and state.dtype == torch.float32
    assert torch.equal(stepped, y[:, 0])


def test_a_step_of_size_zero_leaves_the_state_as_it_is():
    u, delta, A, B, C = inputs(2, 6, 5, 3)
    delta[:, 3:] = 0
    _, hidden = selective_scan(u, delta, A, B, C)
    _, early = selective_scan(u[:, :3], delta[:, :3], A, B[:, :3], C[:, :3])
    torch.testing.assert_close(hidden, early)


def test_a_long_decay_forgets_and_stays_finite():
    u, delta, A, B, C = inputs(1, 9, 5, 3, torch.float32)
    y, _, gradients = with_gradients(selective_scan, [u, 1e4 * delta, A, B, C])
    assert y.isfinite().all() and all(x.isfinite().all() for x in gradients)
    alone, _ = selective_scan(u[:, -1:], 1e4 * delta[:, -1:], A, B[:, -1:], C[:, -1:])
    torch.testing.assert_close(y[:, -1:], alone)


def test_a_future_input_changes_no_output():
    tensors = inputs(1, 9, 5, 3)
    y, _ = selective_scan(*tensors)
    tensors[0][:, 5:] += 7
    later, _ = selective_scan(*tensors)
    assert torch.equal(y[:, :5], later[:, :5]) and not torch.isclose(y[:, 5:], later[:, 5:]).any()


def test_without_numba_the_reference_runs(monkeypatch):
    monkeypatch.setattr("crn_lib.ops.selective_scan.fused_cpu_missing", lambda: "gone")
    tensors = inputs(1, 9, 5, 3)
    torch.testing.assert_close(selective_scan(*tensors), selective_scan_reference(*tensors), rtol=0, atol=0)
