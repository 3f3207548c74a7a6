"""The relation with the last few senders against its masked definition, and the pool that keeps no others."""

import pytest
import torch

from crn_lib.ops import ACTIVATION_FUNCTIONS, pre_activation, relation
from crn_lib.ops.normalise import merge_heads, split_heads
from crn_lib.ops.pool import pool_step
from crn_lib.ops.window import WindowPool, in_window, window_relation
from tests.ops.relation_cases import FORMS, WIDTH, pair


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
