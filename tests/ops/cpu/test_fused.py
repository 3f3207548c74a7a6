"""The compiled kernels beside threads, other processes and torch.compile; their own exp and erf."""

import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from numba import njit

from crn_lib.ops import ACTIVATIONS, relation
from crn_lib.ops.cpu import fused, simd, simd_sums, vector_math
from crn_lib.ops.cpu.fused import FUSED_ACTIVATIONS
from crn_lib.ops.cpu.scalar_math import exponential
from tests.ops.relation_cases import FORMS, WIDTH, able_backends, pair, with_gradients

COMPILED_FORMS = [(norm, activation) for norm, activation in FORMS if "fused" in able_backends(norm, activation)]


def test_there_is_a_kernel_for_every_activation():
    assert FUSED_ACTIVATIONS == ACTIVATIONS


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("batch", [1, 2, 20])
def test_on_any_number_of_threads_it_is_the_definition(use_threads, monkeypatch, threads, batch):
    monkeypatch.setattr(fused, "FEW", 0)
    a, b = pair(batch, 23, WIDTH)
    truth = with_gradients(a, b, heads=2, backend="naive")
    use_threads(threads)
    found = with_gradients(a, b, heads=2, backend="fused")
    torch.testing.assert_close(found, truth, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("width", [16, 18, 64])
def test_the_same_call_gives_the_same_bits_wherever_its_memory_lies(use_threads, monkeypatch, threads, width):
    """Checkpoints resume bit for bit only if this holds; narrow rows are the ones whose place can matter."""
    monkeypatch.setattr(fused, "FEW", 0)
    use_threads(threads)
    a, b = pair(2, 9, width, dtype=torch.float32)
    first = with_gradients(a, b, backend="fused")
    shuffler, held = np.random.default_rng(0), []
    for call in range(600):
        held.append(torch.empty(int(shuffler.integers(1, 200))))  # so that malloc gives other addresses
        if call % 3 == 0:
            held.pop(int(shuffler.integers(len(held))))
        again = with_gradients(a, b, backend="fused")
        assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_its_own_threads(use_threads, monkeypatch):
    monkeypatch.setattr(fused, "FEW", 0)
    use_threads(2)
    a, b = pair(1, 8, 8)
    truth = relation(a, b)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends a child that waits for threads it does not have
        os._exit(0 if torch.equal(relation(a, b), truth) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_kernels_exponential_is_exp(dtype):
    @njit
    def each(x, out):
        for i in range(x.size):
            out[i] = exponential(x[i])

    x = np.linspace(-86, 87, 20_001).astype(dtype)
    out = np.full_like(x, np.nan)
    each(x, out)
    truth = np.exp(x.astype(np.float64))
    assert np.abs(out / truth - 1).max() < 4 * np.finfo(dtype).eps
    edges = np.array([-1e30, -200, 0, 200, 1e30], dtype)
    if dtype == np.float32:
        each(edges, found := np.empty_like(edges))
        assert found[2] == 1 and np.isfinite(found).all()
        assert found[:2].max() < 1e-37 and found[3:].min() > 1e38


def on_vectors(function):
    """The function of one vector as a function of an array whose size is a whole number of vectors."""

    @njit
    def each(x, out):
        for d in range(0, x.size, simd.lanes(x)):
            simd.store(out, d, function(simd.load(x, d)))

    def apply(x):
        each(x, out := np.full_like(x, np.nan))
        return out.astype(np.float64)

    return apply


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 3e-7), (np.float64, 1e-13)])
def test_the_vectors_power_of_two_is_right_in_the_whole_range(dtype, tolerance):
    power = on_vectors(njit(lambda t: vector_math.two_to_the(t)))
    t = np.linspace(-125.9, 125.9, 32_000).astype(dtype)
    assert np.abs(power(t) / np.exp2(t.astype(np.float64)) - 1).max() < tolerance
    whole = np.arange(-120, 120).astype(dtype)
    assert (power(whole) == np.exp2(whole.astype(np.float64))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_vectors_error_function_is_erf(dtype):
    x = np.linspace(-6, 6, 4_000).astype(dtype)
    found = on_vectors(njit(lambda x: vector_math.error_function(x)))(x)
    truth = np.array([math.erf(value) for value in x.astype(np.float64)])
    assert np.abs(found - truth).max() < (4e-7 if dtype == np.float32 else 1e-15)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 3e-7), (np.float64, 1e-15)])
def test_the_vectors_logarithm_of_one_plus_a_share_keeps_its_digits_down_to_the_smallest(dtype, tolerance):
    x = np.concatenate([np.linspace(0, 1, 4_000), np.geomspace(1e-37, 1, 4_000)]).astype(dtype)
    found = on_vectors(njit(lambda x: vector_math.log1p_of_share(x)))(x)
    assert np.allclose(found, np.log1p(x.astype(np.float64)), rtol=tolerance, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_exponential_that_would_underflow_is_clamped(dtype):
    x = np.linspace(-300, 0, 1_600).astype(dtype)
    found = on_vectors(vector_math.clamped_exponential)(x)
    assert np.allclose(found, np.exp(x.astype(np.float64)), rtol=2e-5, atol=2e-38) and found.min() > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sum_of_a_vector_is_the_sum_of_all_its_elements(dtype):
    @njit
    def sums(x, out):
        for k in range(len(x)):
            out[k] = simd_sums.total(simd.load(x[k], 0))

    x = np.random.default_rng(0).integers(-1000, 1000, (50, simd.BYTES // np.dtype(dtype).itemsize)).astype(dtype)
    sums(x, out := np.full(50, np.nan, dtype))
    assert (out == x.sum(1)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sixteen_vectors_are_summed_in_order(dtype):
    @njit
    def sums(x, out):
        simd_sums.sum_sixteen(x, out)

    x = np.random.default_rng(0).integers(-1000, 1000, (16, simd.BYTES // np.dtype(dtype).itemsize)).astype(dtype)
    sums(x, out := np.full(16, np.nan, dtype))
    assert (out == x.sum(1)).all()


@pytest.mark.parametrize(("norm", "activation"), COMPILED_FORMS)
def test_pre_activations_of_any_size_stay_finite(norm, activation):
    a, b = (1e4 * x for x in pair(1, 5, WIDTH, dtype=torch.float32))
    for x in with_gradients(a, b, norm=norm, activation=activation, backend="fused"):
        assert x.isfinite().all()


def test_the_compiler_is_not_loaded_for_who_does_not_compile():
    """It takes longer to import than all else between `import crn_lib` and a first result."""
    program = """
import sys, torch
from crn_lib.ops import relation
a, b = torch.randn(2, 1, 5, 8)
relation(a, b), relation(a, b, norm="approx")
print("torch._dynamo" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.slow
@pytest.mark.needs("compiler")
@pytest.mark.filterwarnings("ignore")
def test_torch_compile_breaks_its_graph_around_the_kernel_and_goes_on():
    def small(a, b):
        return relation(a * 2, b + 1).square().sum()

    a, b = pair(1, 6, 8, dtype=torch.float32)
    compiled = torch.compile(small)
    for x in (a, b):
        x.requires_grad_()
    plain = torch.autograd.grad(small(a, b), (a, b))
    torch.testing.assert_close(torch.autograd.grad(compiled(a, b), (a, b)), plain)
    assert torch._dynamo.utils.counters["graph_break"]


@pytest.mark.parametrize("gap", [1.0, 0.75, 0.5, 1e-1, 1e-3])
def test_a_sender_that_nearly_cancels_its_receiver_keeps_its_digits(gap):
    """Trained copiers find their source there, and centring before adding would lose the digits that are left.

    At gaps of 0.7 and above the blocks' expanded variance is used, below it the sum of squares.
    """
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(1, 40, 48, generator=generator)
    b = -a + gap * torch.randn(1, 40, 48, generator=generator)
    wanted = relation(a.double(), b.double(), backend="naive")
    found = relation(a, b, backend="fused").double()
    assert float((found - wanted).abs().max() / wanted.abs().max()) < 2e-6
