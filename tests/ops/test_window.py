"""The relation with the last few senders against its masked definition, and the pool that keeps no others."""

import pytest
import torch

from crn_lib.ops import ACTIVATION_FUNCTIONS, layer_norm, pre_activation, relation
from crn_lib.ops.normalise import merge_heads, normalise_heads, split_heads
from crn_lib.ops.pool import Pool, pool_step
from crn_lib.ops.window import WindowPool, in_window, window_relation
from tests.ops.relation_cases import FORMS, WIDTH, normal, pair


def definition(a, b, window, norm, activation, heads):
    """Every pair written out, one receiver after another."""
    a, b = split_heads(a, heads), split_heads(b, heads)
    rows = []
    for i in range(a.shape[1]):
        senders = b[:, max(0, i - window + 1) : i + 1]
        rows.append(ACTIVATION_FUNCTIONS[activation](pre_activation(a[:, i, None], senders, norm)).mean(dim=1))
    return merge_heads(torch.stack(rows, dim=1), heads)


@pytest.mark.parametrize(("norm", "activation"), FORMS)
@pytest.mark.parametrize(("length", "window", "heads"), [(1, 4, 1), (3, 4, 3), (13, 1, 1), (13, 4, 3), (31, 7, 1)])
def test_outputs_and_gradients_are_the_definitions(norm, activation, length, window, heads):
    a, b = (x.requires_grad_() for x in pair(2, length, WIDTH))
    found = window_relation(a, b, window=window, norm=norm, activation=activation, heads=heads)
    truth = definition(a, b, window, norm, activation, heads)
    torch.testing.assert_close(found, truth, rtol=1e-9, atol=1e-11)
    weights = torch.randn(truth.shape, dtype=truth.dtype, generator=torch.Generator().manual_seed(1))
    for one, other in zip(*(torch.autograd.grad(x, (a, b), weights) for x in (found, truth)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


def definition_of_logarithms(a, b, window, norm, heads):
    """`LN` of the definition for exp, in float64, with every row first divided by its largest number."""
    a, b = (normalise_heads(x.double(), heads, norm) for x in (a, b))
    rows = []
    for i in range(a.shape[1]):
        pairs = a[:, i, None] + b[:, max(0, i - window + 1) : i + 1]
        rows.append((pairs - pairs.detach().amax(dim=(1, 2), keepdim=True)).exp().mean(dim=1))
    return layer_norm(torch.stack(rows, dim=1))


def unbounded(length, dtype):
    """Some rows too large for float32, some too small, some of ordinary size, in the same sequences."""
    a, b = pair(2, length, WIDTH, dtype=dtype)
    a[:, ::4] += 200.0
    a[:, 1::4] -= 200.0
    a[:, 2::4] *= 1e3
    return [x.requires_grad_() for x in (a, b)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("norm", ["none", "mean"])
@pytest.mark.parametrize(("length", "window", "heads"), [(1, 4, 1), (13, 1, 1), (13, 4, 3), (31, 7, 2), (31, 500, 1)])
def test_rows_that_nothing_bounds_come_times_one_number_as_those_of_the_relation(norm, length, window, heads, dtype):
    a, b = unbounded(length, dtype)
    out = window_relation(a, b, window=window, norm=norm, activation="exp", heads=heads)
    truth = definition_of_logarithms(a, b, window, norm, heads)
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype is torch.float32 else {"rtol": 1e-8, "atol": 1e-9}
    assert out.dtype == dtype and out.isfinite().all()
    torch.testing.assert_close(layer_norm(out).double(), truth, **close)
    if window >= length:
        torch.testing.assert_close(out, relation(a, b, norm=norm, heads=heads), **close)  # not only up to a factor
    weights = normal(*truth.shape, seed=3)
    found = torch.autograd.grad((layer_norm(out).double() * weights).sum(), (a, b))
    for one, true in zip(found, torch.autograd.grad((truth * weights).sum(), (a, b)), strict=True):
        largest = true.abs().max().item()
        torch.testing.assert_close(one, true, rtol=10 * close["rtol"], atol=close["atol"] * (1 + largest))


@pytest.mark.parametrize("norm", ["approx", "none", "mean"])
def test_rows_of_ordinary_size_are_bit_for_bit_what_they_are_unscaled(norm):
    a, b = pair(2, 31, WIDTH, dtype=torch.float32)
    options = {"window": 7, "norm": norm, "activation": "exp", "heads": 3}
    assert torch.equal(window_relation(a, b, **options), window_relation(a, b, **options, rescale=False))
    assert window_relation(1e3 * a, b, **options, rescale=False).isinf().any() == (norm != "approx")


@pytest.mark.parametrize("lengths", [[3, 3], [5, 2]])
@pytest.mark.parametrize("norm", ["none", "mean"])
def test_a_step_scales_the_rows_that_the_whole_sequence_has_scaled(norm, lengths):
    a, b = (x.detach() for x in unbounded(17, torch.float32))
    ends, rows = torch.tensor(lengths), torch.arange(2)
    for window in (4, None):
        whole = window_relation(a, b, window=window or 17, norm=norm, activation="exp", heads=2)
        pool = WindowPool(2, WIDTH, window=4, dtype=a.dtype) if window else Pool(2, WIDTH, dtype=a.dtype)
        pool.fill(b[:, :5], ends)
        for step in range(12):
            here = rows, ends + step
            out = pool_step(a[here], b[here], pool, norm=norm, activation="exp", heads=2)
            torch.testing.assert_close(layer_norm(out), layer_norm(whole[here]), rtol=1e-4, atol=1e-4)


def test_a_wide_row_of_the_approximation_is_scaled_as_the_relations():
    a, b = pair(1, 5, 900, dtype=torch.float32)
    a, b = 1e-4 * a, 1e-4 * b
    a[..., 7] = b[..., 7] = 1.0  # two spikes meet: exp(2 * 29.98) is 1e26, whose square is no float32
    out = window_relation(a, b, window=9, norm="approx", activation="exp")
    torch.testing.assert_close(out, relation(a, b, norm="approx"))
    assert layer_norm(out).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32_and_rounded_once(dtype):
    a, b = pair(1, 400, WIDTH, dtype=dtype)
    out = window_relation(a, b, window=300, norm="exact", activation="exp")
    truth = window_relation(a.double(), b.double(), window=300, norm="exact", activation="exp")
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), truth, rtol=torch.finfo(dtype).eps, atol=1e-5)


def test_a_window_that_holds_all_is_the_relation():
    a, b = pair(2, 9, WIDTH)
    for window in (9, 500):
        torch.testing.assert_close(window_relation(a, b, window=window, norm="exact", activation="exp"), relation(a, b))


def test_what_stands_before_the_first_place_is_in_no_gradient():
    """Where the pair with it would overflow, zero times infinity would be NaN."""
    a, b = (x.float().requires_grad_() for x in pair(1, 9, WIDTH))
    with torch.no_grad():
        a[:, 0], b[:, 0] = 200, -200
    out = window_relation(a, b, window=3, norm="none", activation="exp")
    out.sum().backward()
    assert out.isfinite().all() and a.grad.isfinite().all() and b.grad.isfinite().all()


def test_a_mask_of_a_window_is_its_sentence():
    for first in (0, 3):
        mask = in_window(7, 3, torch.device("cpu"), first=first)
        assert mask.tolist() == [[i - 3 < j <= i for j in range(7)] for i in range(first, 7)]


@pytest.mark.parametrize("lengths", [[1, 2, 9], [3, 6, 4], [9, 9, 9], [2, 2, 2]])
def test_a_window_pool_keeps_each_sequences_last_rows_in_order(lengths):
    _, b = pair(3, 16, WIDTH)
    ends = torch.tensor(lengths)
    pool = WindowPool(3, WIDTH, window=4, dtype=b.dtype)
    before = pool.nbytes
    pool.fill(b[:, : max(lengths)], ends)
    for step in range(7):
        for n, end in enumerate((ends + step).tolist()):
            assert torch.equal(pool.rows[n, pool.visible[n]], b[n, max(0, end - 4) : end])
        assert pool.nbytes == before == pool.nbytes_used + pool.lengths.nbytes
        pool.append(b[torch.arange(3), ends + step])


def test_a_step_from_a_window_pool_is_the_last_row():
    a, b = pair(2, 12, WIDTH)
    truth = window_relation(a, b, window=5, norm="exact", activation="exp", heads=3)
    pool = WindowPool(2, WIDTH, window=5, dtype=a.dtype)
    for i in range(12):
        out = pool_step(a[:, i], b[:, i], pool, norm="exact", activation="exp", heads=3)
        torch.testing.assert_close(out, truth[:, i], rtol=1e-9, atol=1e-11)
