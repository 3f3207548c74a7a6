"""The Triton kernels against the definition. Run by `test_fused.py` in processes of their own:

    TRITON_INTERPRET=1 python -m pytest tests/ops/cuda/interpreted_fused.py     on the CPU, in Triton's interpreter
    python -m pytest tests/ops/cuda/interpreted_fused.py                        on a GPU

The interpreter takes milliseconds a pair of rows, so shapes are small. Its bfloat16 is wrong: that is for a GPU only.
"""

import itertools
import os

import pytest
import torch

from crn_lib.ops import backends, relation, which_backend
from crn_lib.ops.cuda import fused as fused_cuda
from tests.ops.relation_cases import normal, pair, relative_error

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = torch.device("cpu" if INTERPRETED else "cuda")
TOLERANCE = 2e-6 if INTERPRETED else 1e-5
"""Of float32 against the definition in float64; a GPU approximates exp2 and 1/sqrt."""

on_a_gpu = pytest.mark.skipif(INTERPRETED, reason="needs a GPU")


@pytest.fixture(autouse=INTERPRETED, scope="session")
def interpreter_that_looks_once():
    """The interpreter looks through Triton's language at every call of one function by another, a third of its time;
    here it does so at the first call of each."""
    from triton.runtime import interpreter

    looked = set()

    def call(self, *arguments, **options):
        if self.fn not in looked:
            looked.add(self.fn)
            interpreter._patch_lang(self.fn)
        return self.rewrite()(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpreter.InterpretedFunction, "__call__", call)
        yield


def with_gradients(function, a, b, upstream):
    a, b = a.detach().requires_grad_(), b.detach().requires_grad_()
    out = function(a, b)
    return out.detach(), *torch.autograd.grad(out, (a, b), upstream)


def kernels(a, b, activation="exp", norm="exact", causal=True, heads=1):
    """The Triton kernels, whatever `relation` would choose on this machine."""
    return fused_cuda.fused_relation(a, b, norm=norm, activation=activation, causal=causal, heads=heads)


def fused(a, b, activation="exp", **options):
    upstream = normal(*a.shape, seed=3).to(a)
    return with_gradients(lambda a, b: kernels(a, b, activation, **options), a, b, upstream)


def definition(a, b, **options):
    upstream = normal(*a.shape, seed=3).to(a).double()
    return with_gradients(lambda a, b: relation(a, b, backend="naive", **options), a.double(), b.double(), upstream)


def pair_here(*shape, dtype=torch.float32):
    return (x.to(DEVICE) for x in pair(*shape, dtype=dtype))


def assert_same(found, truth, tolerance=TOLERANCE):
    for name, one, true in zip(("out", "d_a", "d_b"), found, truth, strict=True):
        assert relative_error(one, true) < tolerance, name


@pytest.mark.parametrize("length", [1, 2, 33] if INTERPRETED else [1, 2, 63, 100, 129])
def test_any_length(length):
    """Blocks of 16 rows: one that is nearly empty, three with one row in the last."""
    assert fused_cuda.tiling(5)["ROWS"] == 16
    a, b = pair_here(1, length, 5)
    assert_same(fused(a, b), definition(a, b))


FORMS = list(itertools.product(fused_cuda.FUSED_ACTIVATIONS, ("exact", "none"), (True, False)))
EVERY_TWO_TOGETHER = [form for n, form in enumerate(FORMS) if (n // 4 + n // 2 + n) % 2 == 0]
"""Half of the forms: each activation with either norm and either way of looking, and either norm with either way."""


@pytest.mark.parametrize(("activation", "norm", "causal"), EVERY_TWO_TOGETHER if INTERPRETED else FORMS)
def test_every_form(activation, norm, causal):
    a, b = pair_here(1, 18, 6)  # a full block of 16 rows, and part of one
    options = {"activation": activation, "norm": norm, "causal": causal}
    assert_same(fused(a, b, **options), definition(a, b, **options))


@pytest.mark.parametrize(("width", "heads"), [(16, 1), (24, 1), (65, 1), (24, 2), (18, 3), (4, 4)])
def test_any_width_and_heads(width, heads):
    a, b = pair_here(2 if heads == 2 else 1, 9, width)
    found, truth = fused(a, b, heads=heads), definition(a, b, heads=heads)
    if width == heads:  # a head of one column: normalised, it is zero
        assert torch.equal(found[0], torch.ones_like(a)) and not found[1].any() and not found[2].any()
    else:
        assert_same(found, truth)


@pytest.mark.parametrize("width", [64, 192, 384, 768, fused_cuda.WIDEST - 1, fused_cuda.WIDEST])
def test_the_tilings_of_wide_heads(width):
    a, b = pair_here(1, 3, width)
    assert_same(fused(a, b), definition(a, b))


@pytest.mark.parametrize("magnitude", [1e-4, 1e4])
@pytest.mark.parametrize("activation", ["exp", "gelu"])
def test_large_and_small_inputs(activation, magnitude):
    a, b = (magnitude * x for x in pair_here(1, 9, 6))
    assert_same(fused(a, b, activation), definition(a, b, activation=activation), 2 * TOLERANCE)


@pytest.mark.parametrize("left", [0.1, 1e-3])
def test_where_a_sender_nearly_cancels_the_receiver_no_digits_are_lost(left):
    """With the variance expanded into three terms, the gradients' errors here would be 2e-5 and 0.3."""
    a = normal(1, 10, 18, seed=1, dtype=torch.float32).to(DEVICE)
    b = -a.roll(3, dims=1) + left * normal(1, 10, 18, seed=2, dtype=torch.float32).to(DEVICE)
    assert_same(fused(a, b, causal=False), definition(a, b, causal=False))


def test_means_that_nearly_cancel_lose_no_digits_either():
    a, b = pair_here(1, 6, 18)
    a, b = a + 1000.0, 1e-2 * b - a - 1000.0
    assert_same(fused(a, b, causal=False), definition(a, b, causal=False), 1e-4)


@pytest.mark.parametrize("activation", fused_cuda.FUSED_ACTIVATIONS)
def test_rows_without_variance_stay_finite(activation):
    a, b = pair_here(1, 6, 18)
    a[:, 2], b[:, 1] = 0.3, -2.1  # the pair (2, 1) has no variance at all
    b[:, 4] = -a[:, 4]  # and here the two cancel to exactly zero
    found, truth = fused(a, b, activation), definition(a, b, activation=activation)
    assert all(x.isfinite().all() for x in found)
    assert relative_error(found[0], truth[0]) < TOLERANCE


@pytest.mark.parametrize(
    ("activation", "future"),
    [("exp", -1e6), ("gelu", 1e6), ("relu", 1e6), ("squared_relu", -1e6)][: 2 if INTERPRETED else 4],
)
def test_what_stands_in_the_future_changes_nothing_and_gets_no_gradient(activation, future):
    a, b = pair_here(1, 18, 6)
    cut = 11
    upstream = normal(1, 18, 6, seed=3).to(a)
    upstream[:, cut:] = 0.0
    changed_a, changed_b = (torch.cat([x[:, :cut], future * x[:, cut:].abs()], dim=1) for x in (a, b))
    before, after = (
        with_gradients(lambda a, b: kernels(a, b, activation=activation), *rows, upstream)
        for rows in ((a, b), (changed_a, changed_b))
    )
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one[:, :cut], other[:, :cut])
    assert not torch.isclose(before[0][:, cut:], after[0][:, cut:]).all()
    assert not after[1][:, cut:].any() and not after[2][:, cut:].any()


@pytest.mark.parametrize("activation", fused_cuda.FUSED_ACTIVATIONS)
def test_nan_reaches_whoever_sees_its_row_and_nobody_else(activation):
    """A diverging run must be noticed, and a masked pair must not bring NaN into any gradient."""
    clean_a, clean_b = pair_here(1, 6, 18)
    b = clean_b.clone()
    b[0, 3, 0] = torch.nan
    out, d_a, d_b = fused(clean_a, b, activation)
    assert out[0].isnan().any(dim=-1).tolist() == [False] * 3 + [True] * 3
    assert d_a[0].isnan().any(dim=-1).tolist() == [False] * 3 + [True] * 3
    assert d_b[0].isnan().any(dim=-1).tolist() == [False] * 3 + [True] + [False] * 2
    a = clean_a.clone()
    a[0, 3, 0] = torch.nan
    out, d_a, d_b = fused(a, clean_b, activation)
    assert (
        out[0].isnan().any(dim=-1).tolist() == d_a[0].isnan().any(dim=-1).tolist() == [False] * 3 + [True] + [False] * 2
    )
    assert d_b[0].isnan().any(dim=-1).tolist() == [True] * 4 + [False] * 2


def test_inputs_and_gradient_need_not_be_contiguous():
    a, b = pair_here(2, 5, 6)
    truth = kernels(a, b, heads=2)
    loose_a = a.transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
    loose_b = torch.stack([b, b], dim=-1)[..., 0].requires_grad_()
    out = kernels(loose_a, loose_b, heads=2)
    assert torch.equal(out, truth)
    out.sum().backward()  # an upstream gradient of stride 0
    ones = torch.ones_like(a).double()
    wanted = with_gradients(lambda a, b: relation(a, b, heads=2, backend="naive"), a.double(), b.double(), ones)
    assert_same((out.detach(), loose_a.grad, loose_b.grad), wanted)


def test_only_the_gradient_that_is_asked_for_is_needed():
    a, b = pair_here(1, 5, 6)
    _, d_a, d_b = fused(a, b)
    upstream = normal(1, 5, 6, seed=3).to(a)
    for needed, wanted in ((a, d_a), (b, d_b)):
        lone = needed.clone().requires_grad_()
        operands = (lone, b) if needed is a else (a, lone)
        kernels(*operands).backward(upstream)
        assert torch.equal(lone.grad, wanted)


def test_the_kernels_write_every_element_of_their_buffers(monkeypatch):
    a, b = pair_here(2, 7, 10)
    truth = fused(a, b, heads=2)
    monkeypatch.setattr(fused_cuda.torch, "empty_like", lambda x: torch.full_like(x, torch.nan))
    new_empty = torch.Tensor.new_empty
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda *a, **o: new_empty(*a, **o).fill_(torch.nan))
    assert all(torch.equal(one, other) for one, other in zip(fused(a, b, heads=2), truth, strict=True))


def test_saved_for_the_gradient_are_the_inputs_and_two_numbers_a_row():
    a, b = (x.requires_grad_() for x in pair_here(2, 7, 10))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        kernels(a, b)
    assert sorted(x.numel() for x in kept) == [2 * 2 * 7] * 2 + [a.numel()] * 2
    assert {a.data_ptr(), b.data_ptr()} <= {x.data_ptr() for x in kept}


def test_torch_compile_breaks_its_graph_around_the_kernels():
    def small(a, b):
        return kernels(a * 2, b + 1).square()

    a, b = pair_here(1, 4, 6)
    assert torch.equal(torch.compile(small, backend="eager")(a, b), small(a, b))
    assert torch._dynamo.utils.counters["graph_break"]


def test_which_backend_names_what_the_kernels_cannot_do(monkeypatch):
    monkeypatch.setattr(backends, "fused_cuda_missing", lambda device: "")
    choice = which_backend(device="cuda", head_width=fused_cuda.WIDEST, dtype=torch.bfloat16)
    assert str(choice) == "fused: Triton kernels on the GPU, no pair is stored"
    for options, why in (
        ({"activation": "elu"}, "exp, relu, squared_relu, gelu, not elu"),
        ({"dtype": torch.float64}, "float32, not in float64"),
        ({"head_width": fused_cuda.WIDEST + 1}, "at most 1024 columns, not 1025"),
    ):
        choice = which_backend(device="cuda", **options)
        assert choice.name == "tiled" and why in choice.reason
        with pytest.raises(ValueError, match=why):
            which_backend(device="cuda", backend="fused", **options)


def test_a_machine_where_triton_fails_is_told_so_and_not_tried_again(monkeypatch):
    tried = []

    def fail(*rows, **options):
        tried.append(rows)
        raise RuntimeError("Failed to find C compiler.\nPlease specify one")

    assert fused_cuda.unusable(DEVICE) == ""
    monkeypatch.setattr(fused_cuda, "fused_relation", fail)
    monkeypatch.setattr(fused_cuda, "unusable", fused_cuda.cache(fused_cuda.unusable.__wrapped__.__wrapped__))
    for _ in range(2):
        assert fused_cuda.unusable(DEVICE) == "Triton does not work here (RuntimeError: Failed to find C compiler.)"
    assert len(tried) == 1


@pytest.mark.skipif(not INTERPRETED, reason="asks what happens without a GPU")
def test_the_interpreter_is_nothing_that_auto_would_take():
    a, b = pair(1, 5, 6)
    assert "Numba kernel" in which_backend().reason
    assert torch.equal(relation(a, b), relation(a, b, backend="fused"))


@on_a_gpu
def test_auto_takes_the_kernels_on_a_gpu():
    assert which_backend(device=DEVICE).name == "fused"
    a, b = pair_here(2, 130, 192)
    wanted = kernels(a, b)
    assert torch.equal(relation(a, b), wanted)


@on_a_gpu
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("norm", "activation"), [("exact", "exp"), ("exact", "gelu"), ("approx", "relu")])
def test_half_precision_is_summed_in_float32_and_rounded_once(norm, activation, dtype):
    a, b = pair_here(2, 100, 192, dtype=dtype)
    upstream = normal(2, 100, 192, seed=3).to(a)
    found = with_gradients(lambda a, b: relation(a, b, norm=norm, activation=activation), a, b, upstream)
    truth = definition(a, b, norm=norm, activation=activation)
    rounding = torch.finfo(dtype).eps
    assert [x.dtype for x in found] == [dtype] * 3
    torch.testing.assert_close(found[0].double(), truth[0], rtol=rounding, atol=rounding / 10)
    assert_same(found, truth, 2 * rounding)


@on_a_gpu
@pytest.mark.parametrize("width", [64, 65, 192, 401, 768, 1024])
@pytest.mark.parametrize("activation", fused_cuda.FUSED_ACTIVATIONS)
def test_real_shapes_and_the_same_bits_twice(activation, width):
    a, b = pair_here(3, 258, width)
    found = fused(a, b, activation)
    assert_same(found, definition(a, b, activation=activation))
    assert all(torch.equal(one, other) for one, other in zip(found, fused(a, b, activation), strict=True))


@pytest.mark.parametrize("norm", ["exact", "none"])
def test_second_derivatives_are_those_of_the_definition(norm):
    def penalty(function):
        a, b = (x.requires_grad_() for x in pair_here(1, 5, 6, dtype=torch.float32))
        a, b = a.transpose(0, 1).transpose(0, 1), b.flip(1)  # not leaves, and not all contiguous
        first = torch.autograd.grad(function(a, b), (a, b), normal(*a.shape, seed=3).to(a), create_graph=True)
        return torch.autograd.grad(sum(x.square().sum() for x in first), (a, b))

    truth = penalty(lambda a, b: relation(a, b, norm=norm, backend="naive"))
    for found, true in zip(penalty(lambda a, b: kernels(a, b, norm=norm)), truth, strict=True):
        assert relative_error(found, true) < 1e-4
