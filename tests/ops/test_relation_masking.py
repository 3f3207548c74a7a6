"""A future sender counts as exactly zero, after the activation, in outputs and in gradients."""

import pytest
import torch

from crn_lib.ops import relation
from tests.ops.relation_cases import FORMS, WIDTH, able_backends, normal, pair, with_gradients

CUT = 5


@pytest.mark.parametrize("future", [-1e6, -1.0, 1e6])
@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_what_stands_in_the_future_changes_no_output_at_all(norm, activation, future):
    """ELU(-inf) is -1 and GELU(-inf) is NaN: a mask laid before the activation would show here."""
    a, b = pair(2, 9, WIDTH)
    changed_a, changed_b = a.clone(), b.clone()
    changed_a[:, CUT:] += future * normal(2, 9 - CUT, WIDTH, seed=4).abs()
    changed_b[:, CUT:] += future * normal(2, 9 - CUT, WIDTH, seed=5).abs()
    for backend in ("naive", *able_backends(norm, activation)):
        options = {"norm": norm, "activation": activation, "heads": 2, "backend": backend}
        before, after = relation(a, b, **options), relation(changed_a, changed_b, **options)
        assert torch.equal(before[:, :CUT], after[:, :CUT]), backend
        assert not torch.isclose(before[:, CUT:], after[:, CUT:]).all(), backend


@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_early_outputs_send_no_gradient_into_the_future(norm, activation):
    for backend in ("naive", *able_backends(norm, activation)):
        a, b = (x.requires_grad_() for x in pair(2, 9, WIDTH))
        out = relation(a, b, norm=norm, activation=activation, backend=backend)
        out[:, :CUT].backward(normal(2, CUT, WIDTH, seed=3))
        assert not a.grad[:, CUT:].any() and not b.grad[:, CUT:].any(), backend
        assert a.grad[:, :CUT].abs().sum() > 0 and b.grad[:, :CUT].abs().sum() > 0, backend


@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_without_the_mask_the_first_row_sees_the_last_sender(norm, activation):
    a, b = pair(1, 4, WIDTH)
    changed = b.clone()
    changed[:, -1] += normal(1, WIDTH, seed=4)
    for backend in ("naive", *able_backends(norm, activation)):
        options = {"norm": norm, "activation": activation, "causal": False, "backend": backend}
        assert not torch.isclose(relation(a, b, **options)[:, 0], relation(a, changed, **options)[:, 0]).all(), backend


@pytest.mark.parametrize("backend", ["naive", "tiled", "linear"])
def test_a_future_pair_that_overflows_reaches_no_gradient(backend):
    """exp(60 + 60) overflows float32, yet no receiver may see that sender: a_1 is -60, a_0 comes before it."""
    a, b = torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)
    a[:, 0], a[:, 1], b[:, 1] = 60.0, -60.0, 60.0
    a, b = a.requires_grad_(), b.requires_grad_()
    out = relation(a, b, norm="none", backend=backend)
    (out / out.detach().amax(-1, keepdim=True)).sum().backward()
    assert a.grad.isfinite().all() and b.grad.isfinite().all()


@pytest.mark.parametrize(
    ("norm", "activation"),
    [("exact", "exp"), ("exact", "relu"), ("approx", "exp"), ("none", "elu"), ("rms", "exp"), ("variance", "gelu")],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nan_in_a_row_is_seen_by_whoever_sees_that_row_and_nobody_else(norm, activation, dtype):
    """A diverging run must be noticed, so no kernel may turn NaN into a number."""
    a, b = pair(1, 6, WIDTH, dtype=dtype)
    poisoned = b.clone()
    poisoned[0, 3, 0] = torch.nan
    for backend in ("naive", *able_backends(norm, activation)):
        out = relation(a, poisoned, norm=norm, activation=activation, backend=backend)
        assert out[0].isnan().any(dim=-1).tolist() == [False] * 3 + [True] * 3, backend
        _, d_a, _ = with_gradients(a, poisoned, norm=norm, activation=activation, backend=backend)
        assert d_a[0, 3].isnan().any() or norm not in ("exact", "rms", "variance"), backend
