"""The rank of what the past contributes, on matrices whose rank is known."""

import pytest
import torch

from crn_lib.analysis import best_senders, memory_rank, numerical_rank, pair_values
from crn_lib.ops import relation


@pytest.mark.parametrize("rank", [0, 1, 3, 7])
def test_a_product_of_thin_matrices_has_the_rank_of_its_waist(rank, generator):
    matrix = torch.randn(20, rank, generator=generator) @ torch.randn(rank, 9, generator=generator)
    assert numerical_rank(matrix).item() == rank


def test_what_is_smaller_than_the_tolerance_does_not_count(generator):
    matrix = torch.diag(torch.tensor([5.0, 5e-3, 5e-8]))
    assert numerical_rank(matrix).item() == 2
    assert numerical_rank(matrix, tolerance=1e-2).item() == 1
    assert numerical_rank(matrix[None].expand(4, 3, 3)).tolist() == [2] * 4


@pytest.mark.parametrize("norm", ["approx", "none"])
def test_one_sum_a_channel_is_enough_where_the_exponential_factorises(norm, generator):
    receivers, senders = torch.randn(40, 6, generator=generator), torch.randn(12, 6, generator=generator)
    assert memory_rank(receivers, senders, norm=norm).tolist() == [1] * 6


def test_the_exact_form_needs_more_sums_the_more_senders_there_are(generator):
    receivers, senders = torch.randn(80, 16, generator=generator), torch.randn(24, 16, generator=generator)
    ranks = [memory_rank(receivers, senders[:n]).min().item() for n in (1, 6, 12, 24)]
    assert ranks == [1, 6, 12, 24]


@pytest.mark.parametrize("norm", ["exact", "approx", "none"])
@pytest.mark.parametrize("activation", ["exp", "gelu"])
def test_the_values_of_the_pairs_average_to_the_relation(norm, activation, generator):
    a, b = torch.randn(2, 7, 5, generator=generator, dtype=torch.float64)
    values = pair_values(a, b, norm=norm, activation=activation)
    whole = relation(a[None], b[None], norm=norm, activation=activation, causal=False, backend="naive")[0]
    assert torch.allclose(values.mean(1), whole, rtol=1e-12, atol=0)


def test_without_a_norm_of_the_pair_every_receiver_ranks_the_senders_alike():
    a, b = torch.randn(2, 24, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    for norm in ("none", "approx"):
        for activation in ("exp", "softplus", "elu"):
            assert best_senders(pair_values(a, b, norm=norm, activation=activation)).tolist() == 16 * [1]
    counted = best_senders(pair_values(a, b, norm="exact"))
    assert counted.tolist() == [
        len({int(row.argmax()) for row in channel}) for channel in pair_values(a, b).movedim(2, 0)
    ]
    assert counted.min() >= 1 and 2 < counted.double().mean() < 24
    assert best_senders((a @ b.T)[:, :, None]).item() > 10
    assert best_senders(torch.zeros(5, 4, 2)).tolist() == [1, 1]
