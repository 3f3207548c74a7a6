"""Every backend gives what the definition gives: outputs and gradients."""

from types import SimpleNamespace

import pytest
import torch
from relation_cases import FORMS, WIDTH, able_backends, normal, pair, relative_error, with_gradients

from crn_lib.ops import relation, tiled, which_backend
from crn_lib.ops.cpu import fused as fused_cpu

DOUBLE = {"rtol": 1e-9, "atol": 1e-11}


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize("length", [1, 2, 63, 100])
@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_outputs_and_gradients_equal_the_definition(norm, activation, length, heads, causal):
    a, b = pair(2, length, WIDTH)
    options = {"norm": norm, "activation": activation, "heads": heads, "causal": causal}
    truth = with_gradients(a, b, **options, backend="naive")
    for backend in able_backends(norm, activation):
        torch.testing.assert_close(with_gradients(a, b, **options, backend=backend), truth, **DOUBLE)


@pytest.mark.parametrize(("norm", "activation"), [("exact", "exp"), ("approx", "exp"), ("none", "gelu")])
def test_length_129_and_an_odd_width(norm, activation):
    a, b = pair(1, 129, 37)
    truth = with_gradients(a, b, norm=norm, activation=activation, backend="naive")
    for backend in able_backends(norm, activation):
        found = with_gradients(a, b, norm=norm, activation=activation, backend=backend)
        torch.testing.assert_close(found, truth, **DOUBLE)


@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_auto_is_the_backend_that_which_backend_names(norm, activation):
    a, b = pair(2, 9, WIDTH, dtype=torch.float32)
    options = {"norm": norm, "activation": activation}
    named = which_backend(norm, activation).name
    assert named != "naive"
    for one, other in zip(with_gradients(a, b, **options), with_gradients(a, b, **options, backend=named), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("elements", [1, 2 * 23 * WIDTH * 5])
def test_the_size_of_a_tile_changes_nothing(monkeypatch, elements, causal):
    monkeypatch.setattr(tiled, "TILE_ELEMENTS", elements)  # one row a tile; five rows a tile, the last one shorter
    a, b = pair(2, 23, WIDTH)
    options = {"activation": "gelu", "causal": causal, "heads": 3}
    truth = with_gradients(a, b, **options, backend="naive")
    torch.testing.assert_close(with_gradients(a, b, **options, backend="tiled"), truth, **DOUBLE)


@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_float32_is_within_rounding_of_the_float64_definition(norm, activation):
    a, b = pair(2, 63, WIDTH, dtype=torch.float32)
    truth = with_gradients(a.double(), b.double(), norm=norm, activation=activation, backend="naive")
    for backend in able_backends(norm, activation):
        found = with_gradients(a, b, norm=norm, activation=activation, backend=backend)
        assert [x.dtype for x in found] == [torch.float32] * 3
        for one, true in zip(found, truth, strict=True):
            assert relative_error(one, true) < 2e-6, backend


@pytest.mark.parametrize("magnitude", [1e-4, 1e-2, 1e2, 1e4])
@pytest.mark.parametrize("activation", ["exp", "gelu", "squared_relu"])
@pytest.mark.parametrize("norm", ["exact", "rms", "unit"])
def test_scaled_to_one_size_float32_does_not_care_how_large_its_input_is(norm, activation, magnitude):
    a, b = (magnitude * x for x in pair(2, 33, WIDTH, dtype=torch.float32))
    truth = with_gradients(a.double(), b.double(), norm=norm, activation=activation, backend="naive")
    for backend in ("tiled", "fused"):
        found = with_gradients(a, b, norm=norm, activation=activation, backend=backend)
        for one, true in zip(found, truth, strict=True):
            assert relative_error(one, true) < 4e-6, backend


@pytest.mark.parametrize("activation", ["exp", "softplus"])
@pytest.mark.parametrize(("left", "error"), [(0.1, 5e-6), (1e-3, 5e-4)])
@pytest.mark.parametrize("norm", ["exact", "rms", "unit"])
def test_where_a_sender_nearly_cancels_the_receiver_float32_keeps_its_digits(norm, activation, left, error):
    """Trained copiers retrieve exactly there; the expanded variance |A|^2 + |B|^2 + 2<A, B> would lose them."""
    a = normal(1, 20, WIDTH, seed=1, dtype=torch.float32)
    b = -a.roll(3, dims=1) + left * normal(1, 20, WIDTH, seed=2, dtype=torch.float32)
    options = {"norm": norm, "activation": activation, "causal": False}
    truth = with_gradients(a.double(), b.double(), **options, backend="naive")
    for backend in ("tiled", "fused"):
        found = with_gradients(a, b, **options, backend=backend)
        for one, true in zip(found, truth, strict=True):
            assert relative_error(one, true) < error, backend


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("norm", "activation"), [("exact", "exp"), ("approx", "exp"), ("none", "gelu")])
def test_half_precision_is_summed_in_float32_and_rounded_once(norm, activation, dtype):
    a, b = pair(2, 100, WIDTH, dtype=dtype)
    for backend in ("naive", *able_backends(norm, activation)):
        found = with_gradients(a, b, norm=norm, activation=activation, backend=backend)
        assert [x.dtype for x in found] == [dtype] * 3
        truth = relation(a.double(), b.double(), norm=norm, activation=activation, backend="naive")
        rounding = torch.finfo(dtype).eps
        torch.testing.assert_close(found[0].double(), truth, rtol=rounding, atol=rounding / 10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("norm", "activation"), FORMS)
def test_rows_without_variance_stay_finite(norm, activation, dtype):
    a, b = pair(1, 6, WIDTH, dtype=dtype)
    a[:, 2], b[:, 1] = 0.5, -2.0  # the pair (2, 1) has no variance at all
    b[:, 4] = -a[:, 4]  # and here the two cancel to exactly zero
    for backend in ("naive", *able_backends(norm, activation)):
        for x in with_gradients(a, b, norm=norm, activation=activation, backend=backend):
            assert x.isfinite().all(), backend


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_row_without_variance_is_not_divided_by_it(dtype):
    """A tenth has rounding errors for a deviation: divided by them, it would be millions, and exp of it infinite."""
    a, b = torch.full((1, 1, 7), 0.1, dtype=dtype), torch.full((1, 1, 7), 0.2, dtype=dtype)
    out, d_a, d_b = with_gradients(a, b, norm="variance")
    torch.testing.assert_close(out, (a + b).exp())
    torch.testing.assert_close(d_a, normal(1, 1, 7, seed=3).to(dtype) * (a + b).exp())
    assert torch.equal(d_a, d_b)


@pytest.mark.parametrize("backend", ["naive", "tiled", "fused"])
def test_a_head_of_width_one_normalises_to_zero(backend):
    out, d_a, d_b = with_gradients(*pair(1, 5, 3), heads=3, backend=backend)
    assert torch.equal(out, torch.ones_like(out))  # exp(0)
    assert not d_a.any() and not d_b.any()


@pytest.mark.parametrize("backend", ["tiled", "fused", "linear"])
def test_one_tensor_may_be_receiver_and_sender(backend):
    norm = "approx" if backend == "linear" else "exact"
    x = normal(2, 11, WIDTH).requires_grad_()
    upstream = normal(2, 11, WIDTH, seed=3)
    (truth,) = torch.autograd.grad(relation(x, x, norm=norm, backend="naive"), x, upstream)
    (found,) = torch.autograd.grad(relation(x, x, norm=norm, backend=backend), x, upstream)
    torch.testing.assert_close(found, truth, **DOUBLE)


@pytest.mark.parametrize("backend", ["naive", "tiled", "fused", "linear"])
def test_input_and_gradient_need_not_be_contiguous(backend):
    norm = "approx" if backend == "linear" else "exact"
    a, b = pair(2, 11, WIDTH)
    loose_a = a.transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
    loose_b = torch.stack([b, b], dim=-1)[..., 0].requires_grad_()
    assert not loose_a.is_contiguous() and not loose_b.is_contiguous()
    out = relation(loose_a, loose_b, norm=norm, heads=2, backend=backend)
    out.sum().backward()  # an upstream gradient of stride 0
    tight_a, tight_b = a.requires_grad_(), b.requires_grad_()
    tight = relation(tight_a, tight_b, norm=norm, heads=2, backend="naive")
    tight.backward(torch.ones_like(tight))
    torch.testing.assert_close((out, loose_a.grad, loose_b.grad), (tight, tight_a.grad, tight_b.grad), **DOUBLE)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    ("backend", "norm"),
    [
        ("tiled", "exact"),
        ("fused", "exact"),
        ("linear", "none"),
        ("fused", "rms"),
        ("fused", "unit"),
        ("tiled", "variance"),
        ("linear", "mean"),
    ],
)
def test_gradients_agree_with_finite_differences(backend, norm, causal):
    a, b = (x.requires_grad_() for x in pair(1, 4, 6))
    assert torch.autograd.gradcheck(
        lambda a, b: relation(a, b, norm=norm, causal=causal, heads=2, backend=backend), (a, b)
    )


def test_only_the_gradient_that_is_asked_for_is_needed():
    a, b = pair(1, 5, WIDTH)
    for backend in ("tiled", "fused"):
        _, d_a, d_b = with_gradients(a, b, backend=backend)
        lone = b.clone().requires_grad_()
        relation(a, lone, backend=backend).backward(normal(1, 5, WIDTH, seed=3))
        torch.testing.assert_close(lone.grad, d_b)
        assert d_a.any()


@pytest.mark.parametrize(("norm", "activation"), [("exact", "exp"), ("none", "gelu")])
def test_the_kernels_write_every_element_of_their_buffers(monkeypatch, use_threads, norm, activation):
    a, b = pair(2, 23, WIDTH, dtype=torch.float32)
    form = {"norm": norm, "activation": activation, "backend": "fused"}
    truth = with_gradients(a, b, **form)
    poisoned = []

    def empty(shape, **options):
        poisoned.append(shape)
        return torch.full(tuple(shape), torch.nan, **options)

    names = {name: getattr(torch, name) for name in dir(torch)}
    monkeypatch.setattr(fused_cpu, "torch", SimpleNamespace(**(names | {"empty": empty})))
    for threads in (1, 3):
        use_threads(threads)
        torch.testing.assert_close(with_gradients(a, b, **form), truth)
    assert poisoned


def test_the_longer_lengths_are_as_exact_as_the_short_ones():
    """Batch and lengths at which `crn bench` compares: outputs and gradients."""
    a, b = pair(1, 258, 192, dtype=torch.float32)
    truth = with_gradients(a.double(), b.double(), backend="naive")
    for one, true in zip(with_gradients(a, b, backend="fused"), truth, strict=True):
        assert relative_error(one, true) < 2e-6
    wide = with_gradients(a.double(), b.double(), backend="fused")
    for one, true in zip(wide, truth, strict=True):
        assert relative_error(one, true) < 1e-10


def test_a_head_wider_than_the_kernels_exponential_is_right_all_the_same():
    """One entry stands out as far as it can: exp(sqrt(width - 1)) needs every bit of float32's range."""
    a = torch.zeros(1, 2, 7000)
    a[..., 0] = 1.0
    b = torch.zeros_like(a)
    wanted = relation(a.double(), b.double(), backend="naive")
    found = relation(a, b).double()
    assert float((found - wanted).abs().max() / wanted.abs().max()) < 1e-5
