"""The exp decomposition where plain exponentials would overflow or vanish."""

import math

import pytest
import torch
from torch import Tensor

from crn_lib import measure
from crn_lib.ops import relation
from crn_lib.ops.backends import bounded
from crn_lib.ops.linear import LARGEST_LOG, SMALLEST_LOG, largest_normalised
from crn_lib.ops.naive import naive_relation
from crn_lib.ops.normalise import layer_norm, normalise_heads
from crn_lib.ops.prefix_sum import log_relation
from tests.ops.relation_cases import normal, pair, with_gradients

LARGE = 1e4


def test_the_mean_is_removed_in_float64_where_the_input_is_large():
    """The error of a mean is one factor for a head; two heads have two of them, which no LayerNorm removes."""
    a, b = (LARGE * x for x in pair(2, 20, 24, dtype=torch.float32))
    truth = layer_norm(relation(a.double(), b.double(), norm="mean", heads=2))
    torch.testing.assert_close(layer_norm(relation(a, b, norm="mean", heads=2)).double(), truth, rtol=1e-5, atol=1e-5)


def log_space_truth(a: Tensor, b: Tensor, causal: bool) -> Tensor:
    """`LN(relation(a, b, norm="none"))` in float64: every row divided by its largest value before exp."""
    a, b = a.double(), b.double()
    rows = []
    for i in range(a.shape[1]):
        seen = b[:, : i + 1] if causal else b
        logs = a[:, i] + torch.logsumexp(seen, dim=1) - math.log(seen.shape[1])
        rows.append((logs - logs.amax(dim=-1, keepdim=True)).exp())
    return layer_norm(torch.stack(rows, dim=1))


def large_inputs() -> dict[str, tuple[Tensor, Tensor]]:
    a, b = pair(2, 20, 24, dtype=torch.float32)
    near = {"a": a * 0.05, "b": b * 0.05}
    return {
        "both of magnitude 1e4": (LARGE * a, LARGE * b),
        "a of magnitude 1e4": (LARGE * a, b),
        "b of magnitude 1e4": (a, LARGE * b),
        "1e4 and small differences": (LARGE + a, b),
        "1e4 in both and small differences": (LARGE + near["a"], LARGE + near["b"]),
        "-1e4 and small differences": (-LARGE + a, b),
        "-1e4 in both and small differences": (-LARGE + near["a"], -LARGE + near["b"]),
        "cancelling": (LARGE + a, -LARGE + b),
        "one part of the width at 1e4": (torch.cat([LARGE + a[..., :12], a[..., 12:]], dim=-1), b),
    }


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("case", large_inputs())
def test_magnitude_1e4_in_float32_equals_float64_in_log_space(case, causal):
    """Outputs after the block's LayerNorm to 1e-4, and the gradients through it."""
    a, b = (x.requires_grad_() for x in large_inputs()[case])
    plain = relation(a, b, norm="none", causal=causal)
    assert plain.dtype == torch.float32 and plain.isfinite().all()
    out = layer_norm(plain)
    truth = log_space_truth(a, b, causal)
    torch.testing.assert_close(out.double(), truth, rtol=1e-4, atol=1e-4)

    upstream = normal(*out.shape, seed=3)
    found = torch.autograd.grad(out, (a, b), upstream.float())
    wanted = torch.autograd.grad(truth, (a, b), upstream)
    for one, true in zip(found, wanted, strict=True):
        assert one.isfinite().all()
        torch.testing.assert_close(one, true.float(), rtol=1e-3, atol=1e-5 + 1e-3 * true.abs().max().item())


def test_a_row_is_scaled_by_one_number_over_all_its_heads():
    """A factor of its own for each head would change what the LayerNorm over the whole row sees."""
    a, b = pair(1, 6, 8, dtype=torch.float32)
    a = torch.cat([a[..., :4] + 60, a[..., 4:] + 59], dim=-1)
    out = layer_norm(relation(a, b, norm="none", heads=2))
    torch.testing.assert_close(out.double(), log_space_truth(a, b, True), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("log", [SMALLEST_LOG + 2, 0.0, LARGEST_LOG - 2])
def test_rows_of_ordinary_size_are_not_scaled(log):
    a, b = pair(1, 6, 8)
    a = a - a.amax(dim=-1, keepdim=True) + log
    b = b - torch.logcumsumexp(b, dim=1).amax(dim=-1, keepdim=True)
    torch.testing.assert_close(
        relation(a, b, norm="none"), relation(a, b, norm="none", backend="naive"), rtol=1e-9, atol=0
    )


@pytest.mark.parametrize("magnitude", [1e-4, 1.0, 1e4])
def test_approx_does_not_care_how_large_its_input_is(magnitude):
    a, b = (magnitude * x for x in pair(2, 40, 18, dtype=torch.float32))
    truth = with_gradients(a.double(), b.double(), norm="approx", backend="naive")
    for one, true in zip(with_gradients(a, b, norm="approx"), truth, strict=True):
        torch.testing.assert_close(one.double(), true, rtol=1e-4, atol=4e-6 * true.abs().max().item())


@pytest.mark.parametrize("width", [401, 402, 900])
def test_approx_is_the_definition_on_both_sides_of_the_switch_to_logarithms(width):
    assert (2 * largest_normalised(width) <= LARGEST_LOG) == (width <= 401) == bounded("approx", width)
    a, b = pair(1, 9, width)
    a[0, 4] *= 0.01
    a[0, 4, 7] = 30.0  # nearly the largest entry a normalised row can have
    found, truth = (with_gradients(a, b, norm="approx", backend=name) for name in ("linear", "naive"))
    torch.testing.assert_close(found, truth, rtol=1e-9, atol=1e-9)


def test_a_wide_row_that_would_overflow_the_layer_norm_is_scaled():
    """Two spikes of width 900 meet: exp(2 * 29.98) is 1e26, whose square is no float32."""
    a, b = pair(1, 4, 900, dtype=torch.float32)
    a, b = 1e-4 * a, 1e-4 * b
    a[..., 7] = b[..., 7] = 1.0
    out = layer_norm(relation(a, b, norm="approx"))
    truth = log_space_truth(layer_norm(a.double()), layer_norm(b.double()), True)
    torch.testing.assert_close(out.double(), truth, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("width", [2, 7, 192])
def test_the_bound_on_a_normalised_entry_is_reached_and_not_passed(width):
    spike = torch.zeros(width, dtype=torch.float64)
    spike[0] = 1.0
    assert layer_norm(spike).max().item() == pytest.approx(largest_normalised(width))
    assert layer_norm(normal(1000, width)).abs().max() <= largest_normalised(width) + 1e-9


def test_the_logarithm_is_that_of_the_mean():
    a, b = pair(2, 7, 5)
    for causal in (True, False):
        logs = log_relation(a, b, causal=causal)
        torch.testing.assert_close(logs.exp(), relation(a, b, norm="none", causal=causal, backend="naive"))


@pytest.mark.skipif(not measure._RESET.exists(), reason="this kernel cannot reset a peak")
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("norm", ["approx", "none"])
def test_memory_grows_with_the_length_and_not_with_its_square(norm, causal):
    """Forward and back hold a few dozen times the input; all pairs would be 2,048 times as much."""
    a, b = pair(1, 2048, 64, dtype=torch.float32)
    with_gradients(a[:, :9], b[:, :9], norm=norm, causal=causal)  # what is compiled or loaded once does not count
    added = measure.added_memory(lambda: with_gradients(a, b, norm=norm, causal=causal))
    assert added < 100 * a.nbytes


def test_the_last_of_20_000_tokens_is_right_in_float32():
    a, b = pair(1, 20_000, 8, dtype=torch.float32)
    out = relation(a, b, norm="approx")
    last = layer_norm(a[:, -1:]).exp() * layer_norm(b).exp().mean(dim=1, keepdim=True)
    torch.testing.assert_close(out[:, -1:], last, rtol=1e-4, atol=1e-5)


def test_heads_are_normalised_one_by_one_and_half_precision_in_float32():
    x = normal(2, 3, 8)
    found = normalise_heads(x, 2)
    torch.testing.assert_close(found[..., :4], layer_norm(x[..., :4]))
    torch.testing.assert_close(found.unflatten(-1, (2, 4)).var(dim=-1, correction=0), torch.ones(2, 3, 2).double())
    half = layer_norm(x.bfloat16())
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.double(), layer_norm(x.bfloat16().double()), rtol=1e-2, atol=1e-2)


def test_without_rescaling_the_values_are_the_definitions_own_even_where_they_are_tiny() -> None:
    a = torch.full((1, 3, 4), -9.0, dtype=torch.float64)
    b = torch.full_like(a, -9.0)
    wanted = naive_relation(a, b, norm="none", activation="exp", causal=True)
    torch.testing.assert_close(relation(a, b, norm="none", rescale=False), wanted)
    assert float(relation(a, b, norm="none").max()) > 100 * float(wanted.max())
