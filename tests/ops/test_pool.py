"""What a relation remembers between two tokens: the pool and the running sum."""

import pytest
import torch

from crn_lib.ops import factorises, relation
from crn_lib.ops.normalise import layer_norm, normalise_heads
from crn_lib.ops.pool import Pool, RunningSum, pool_step, running_step
from tests.ops.relation_cases import FORMS, WIDTH, pair

LINEAR_NORMS = ("approx", "none", "mean")


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_a_pool_step_is_the_relations_last_row_at_every_length(norm, activation, heads):
    a, b = pair(2, 40, WIDTH)
    truth = relation(a, b, norm=norm, activation=activation, heads=heads, backend="naive")
    pool = Pool(2, WIDTH, capacity=4, dtype=a.dtype)
    for i in range(40):
        out = pool_step(a[:, i], b[:, i], pool, norm=norm, activation=activation, heads=heads)
        torch.testing.assert_close(out, truth[:, i], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("norm", LINEAR_NORMS)
def test_a_running_step_is_the_relations_last_row_at_every_length(norm, heads):
    assert factorises(norm, "exp")
    a, b = pair(2, 40, WIDTH)
    truth = relation(a, b, norm=norm, heads=heads, backend="naive")
    state = RunningSum(2, WIDTH, dtype=a.dtype)
    for i in range(40):
        out = running_step(a[:, i], b[:, i], state, norm=norm, heads=heads)
        torch.testing.assert_close(out, truth[:, i], rtol=1e-9, atol=1e-11)


def test_a_running_step_takes_magnitude_1e4_as_the_whole_sequence_does():
    a, b = (1e4 * x for x in pair(1, 30, WIDTH, dtype=torch.float32))
    whole = layer_norm(relation(a, b, norm="none"))
    state = RunningSum(1, WIDTH, dtype=torch.float64)
    for i in range(30):
        out = running_step(a[:, i], b[:, i], state, norm="none", heads=1)
        assert out.dtype == torch.float32
        torch.testing.assert_close(layer_norm(out), whole[:, i], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("lengths", [[3, 7, 1], [7, 7, 7]])
def test_a_filled_pool_goes_on_from_each_sequences_own_end(lengths):
    a, b = pair(3, 12, WIDTH)
    ends, rows = torch.tensor(lengths), torch.arange(3)
    truth = relation(a, b)
    rubbish = torch.where(torch.arange(7)[:, None] < ends[:, None, None], b[:, :7], 1e3)  # padding, never to be seen
    pool = Pool(3, WIDTH, capacity=2, dtype=a.dtype)
    pool.fill(rubbish, ends)
    for step in range(5):
        out = pool_step(a[rows, ends + step], b[rows, ends + step], pool, norm="exact", activation="exp", heads=1)
        torch.testing.assert_close(out, truth[rows, ends + step], rtol=1e-9, atol=1e-11)
    assert torch.equal(pool.visible.sum(dim=1), ends + 5)


@pytest.mark.parametrize("norm", LINEAR_NORMS)
def test_a_filled_running_sum_goes_on_from_each_sequences_own_end(norm):
    a, b = pair(3, 12, WIDTH)
    ends, rows = torch.tensor([3, 7, 1]), torch.arange(3)
    truth = relation(a, b, norm=norm)
    state = RunningSum(3, WIDTH, dtype=a.dtype)
    state.fill(normalise_heads(b[:, :7], 1, norm), ends)
    for step in range(5):
        out = running_step(a[rows, ends + step], b[rows, ends + step], state, norm=norm, heads=1)
        torch.testing.assert_close(out, truth[rows, ends + step], rtol=1e-9, atol=1e-11)


def test_a_full_buffer_doubles_and_keeps_its_rows():
    pool = Pool(2, 3, capacity=4, dtype=torch.float64)
    rows, _ = pair(2, 17, 3)
    sizes = []
    for i in range(17):
        pool.append(rows[:, i])
        assert torch.equal(pool.rows, rows[:, : i + 1])
        sizes.append(pool.nbytes)
    lengths = 2 * 8  # two int64
    assert sizes == [2 * capacity * 3 * 8 + lengths for capacity in [4] * 4 + [8] * 4 + [16] * 8 + [32]]
    assert pool.nbytes_used == 2 * 17 * 3 * 8


def test_filling_reserves_what_is_asked_at_least():
    pool = Pool(1, 3, capacity=4, dtype=torch.float32)
    rows, _ = pair(1, 9, 3, dtype=torch.float32)
    pool.fill(rows, torch.tensor([9]))
    assert pool.nbytes == 9 * 3 * 4 + 8 and torch.equal(pool.rows, rows)


def test_a_running_sum_holds_the_same_bytes_however_long_the_sequence():
    _, b = pair(2, 50, 6, dtype=torch.float32)
    state = RunningSum(2, 6, dtype=torch.float32)
    sizes = set()
    for i in range(50):
        state.append(b[:, i])
        sizes.add(state.nbytes)
    assert sizes == {2 * 6 * 4 + 2 * 8}


@pytest.mark.parametrize("norm", ["exact", "approx"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_adds_up_in_float32(norm, dtype):
    """In half precision a mean over hundreds of rows would stop moving."""
    a, b = pair(1, 600, 12, dtype=dtype)
    truth = relation(a.double(), b.double(), norm=norm)
    pool, state = Pool(1, 12, dtype=dtype), RunningSum(1, 12, dtype=dtype)
    for i in range(600):
        if norm == "exact":
            out = pool_step(a[:, i], b[:, i], pool, norm=norm, activation="exp", heads=1)
        else:
            out = running_step(a[:, i], b[:, i], state, norm=norm, heads=1)
        assert out.dtype == dtype
    rounding = torch.finfo(dtype).eps
    torch.testing.assert_close(out.double(), truth[:, -1], rtol=2 * rounding, atol=rounding)


def test_rows_behind_a_shorter_sequences_end_are_finite_whatever_the_memory_held_before(monkeypatch):
    """Attention multiplies them by 0, which is no help against the NaN that unset memory may hold."""
    monkeypatch.setattr(torch, "empty", lambda *shape, **options: torch.full(shape, torch.nan, **options))
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda self, *shape: self.new_full(shape, torch.nan))
    pool = Pool(2, 3, capacity=2, dtype=torch.float32)
    pool.fill(torch.ones(2, 2, 3), torch.tensor([2, 1]))
    for _ in range(5):
        pool.append(torch.ones(2, 3))
    assert bool(pool.rows.isfinite().all()) and pool.rows.shape == (2, 7, 3)
