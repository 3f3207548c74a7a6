"""The newest row, compiled: equal to the definition, and to plain torch where it is not taken."""

import pytest
import torch

from crn_lib.ops.cpu import decoding
from crn_lib.ops.cpu.decoding import TILE, newest_row
from crn_lib.ops.naive import pre_activation
from crn_lib.ops.pool import Pool, pool_step
from tests.ops.relation_cases import WIDTH, pair

CLOSE = {torch.float64: {"rtol": 1e-10, "atol": 1e-12}, torch.float32: {"rtol": 1e-5, "atol": 1e-6}}


def by_definition(a, rows, lengths, heads):
    """In float64, one sequence at a time."""
    last = []
    for n, length in enumerate(lengths.tolist()):
        receiver, senders = (x.double().unflatten(-1, (heads, -1)) for x in (a[n], rows[n, :length]))
        last.append(pre_activation(receiver, senders, "exact").exp().mean(dim=0).flatten())
    return torch.stack(last)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("lengths", [[1], [TILE], [TILE + 1], [3, 1, TILE - 1, 2 * TILE + 5, TILE, 7, 40]])
def test_it_is_the_definition_and_reads_nothing_behind_a_sequences_end(dtype, heads, lengths):
    ends = torch.tensor(lengths)
    a, b = pair(len(lengths), max(lengths) + 3, WIDTH, dtype=dtype)
    truth = by_definition(a[:, 0], b, ends, heads)
    b[torch.arange(b.shape[1]) >= ends[:, None]] = torch.nan
    found = newest_row(a[:, 0], b, ends, heads)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), truth, **CLOSE[dtype])


def test_threads_share_the_sequences_of_a_large_pool(use_threads):
    a, b = pair(7, 2 * decoding.ALONE // (7 * WIDTH), WIDTH)
    ends = torch.full((7,), b.shape[1])
    use_threads(1)
    alone = newest_row(a[:, 0], b, ends, 1)
    use_threads(3)
    assert torch.equal(newest_row(a[:, 0], b, ends, 1), alone)
    torch.testing.assert_close(alone, by_definition(a[:, 0], b, ends, 1), rtol=1e-9, atol=1e-11)


def test_a_sender_that_nearly_cancels_the_receiver_keeps_its_digits():
    a, b = pair(1, 9, 64, dtype=torch.float32)
    b[:, 4] = -a[:, 0] + 1e-4 * b[:, 4]
    ends = torch.tensor([9])
    torch.testing.assert_close(
        newest_row(a[:, 0], b, ends, 1).double(), by_definition(a[:, 0], b, ends, 1), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("poisoned", ["receiver", "sender"])
def test_what_is_no_number_stays_none(poisoned):
    a, b = pair(2, 40, WIDTH, dtype=torch.float32)
    (a[0, 0] if poisoned == "receiver" else b[0, 3])[5] = torch.nan
    found = newest_row(a[:, 0], b, torch.tensor([40, 40]), 1)
    assert bool(found[0].isnan().all()) and bool(found[1].isfinite().all())


@pytest.fixture
def compiled(monkeypatch):
    """How often the kernel was called."""
    calls = []

    def counted(*arguments):
        calls.append(1)
        return newest_row(*arguments)

    monkeypatch.setattr(decoding, "newest_row", counted)
    return calls


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("batch", [1, 7])
def test_a_pool_that_grows_gives_the_same_with_and_without_it(compiled, dtype, heads, batch):
    a, b = pair(batch, 41, WIDTH, dtype=dtype)
    options = {"norm": "exact", "activation": "exp", "heads": heads}
    pools = [Pool(batch, WIDTH, capacity=2, dtype=dtype) for _ in range(2)]
    for i in range(41):
        plain = pool_step(a[:, i], b[:, i], pools[0], **options)
        assert len(compiled) == i, "a graph might be recorded"
        with torch.no_grad():
            found = pool_step(a[:, i], b[:, i], pools[1], **options)
        torch.testing.assert_close(found, plain, **CLOSE[dtype])
    assert len(compiled) == 41


def test_gradients_flow_through_a_pool_step(compiled):
    a, b = (x.requires_grad_() for x in pair(2, 1, WIDTH))
    pool_step(a[:, 0], b[:, 0], Pool(2, WIDTH, dtype=a.dtype), norm="exact", activation="exp", heads=1).sum().backward()
    assert a.grad is not None and b.grad is not None and not compiled


@torch.no_grad()
@pytest.mark.parametrize("other", [{"norm": "rms"}, {"activation": "gelu"}, {"dtype": torch.bfloat16}])
def test_other_forms_and_half_precision_go_by_torch(compiled, other):
    options = {"norm": "exact", "activation": "exp", "dtype": torch.float32} | other
    dtype = options.pop("dtype")
    a, b = pair(1, 1, WIDTH, dtype=dtype)
    pool_step(a[:, 0], b[:, 0], Pool(1, WIDTH, dtype=dtype), heads=1, **options)
    assert not compiled
