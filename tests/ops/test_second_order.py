"""Second derivatives of every backend are those of the definition."""

import pytest
import torch

from crn_lib.ops import NORMS, factorises, relation
from crn_lib.ops.selective_scan import selective_scan, selective_scan_reference
from tests.models.model_cases import VOCAB, small_model, tokens
from tests.ops.relation_cases import normal, pair

FORMS = [(norm, activation) for norm in NORMS for activation in ("exp", "gelu", "softplus")]


def backends(norm, activation):
    return ["naive", "tiled", "auto"] + (["linear"] if factorises(norm, activation) else [])


def leaves(*shape):
    return [x.requires_grad_() for x in pair(*shape)]


def curvature(a, b, **options):
    """The gradient of the gradient's squared length: what a gradient penalty trains with.

    The gradient that arrives at the relation is a constant: `once_differentiable` would let that pass, and be wrong.
    """
    first = torch.autograd.grad(relation(a, b, **options), (a, b), normal(*a.shape, seed=3), create_graph=True)
    return torch.autograd.grad(sum(x.square().sum() for x in first), (a, b))


@pytest.mark.parametrize(("norm", "activation"), FORMS)
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("causal", [True, False])
def test_a_gradient_penalty_is_that_of_the_definition(norm, activation, heads, causal):
    options = {"norm": norm, "activation": activation, "heads": heads, "causal": causal}
    truth = curvature(*leaves(2, 5, 6), **options, backend="naive")
    for backend in backends(norm, activation)[1:]:
        found = curvature(*leaves(2, 5, 6), **options, backend=backend)
        torch.testing.assert_close(found, truth, rtol=1e-8, atol=1e-9, msg=backend)


def first_and_second(function, inputs):
    """First derivatives with and without a graph, and those of the first's squared length."""
    plain = torch.autograd.grad(function(), inputs)
    first = torch.autograd.grad(function(), inputs, create_graph=True)
    return plain, [x.detach() for x in first], torch.autograd.grad(sum(x.square().sum() for x in first), inputs)


SIDES = {
    "the same tensor": lambda x: (x, x),
    "senders of receivers": lambda x: (x, x.flip(-1) * 0.5),
    "receivers of senders": lambda x: (x.tanh() + x.flip(1), x),
    "both of a third": lambda x: (2 * x, x.sin()),
}


@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES)
@pytest.mark.parametrize("norm", NORMS)
def test_one_side_may_be_computed_from_the_other(norm, sides):
    def derivatives(backend):
        x = normal(2, 5, 6).requires_grad_()
        return first_and_second(lambda: relation(*sides(x), norm=norm, backend=backend).square().sum(), [x])

    truth = derivatives("naive")
    torch.testing.assert_close(truth[0], truth[1])
    for backend in backends(norm, "exp")[1:]:
        torch.testing.assert_close(derivatives(backend), truth, rtol=1e-8, atol=1e-9, msg=backend)


@pytest.mark.parametrize(
    ("norm", "backend"),
    [(norm, backend) for norm in ("exact", "approx", "none", "mean") for backend in backends(norm, "exp")],
)
def test_second_derivatives_are_those_of_finite_differences(norm, backend):
    a, b = leaves(1, 3, 4)
    assert torch.autograd.gradgradcheck(lambda a, b: relation(a, b, norm=norm, backend=backend), (a, b))


@pytest.mark.parametrize("backend", ["naive", "tiled", "auto"])
def test_the_first_derivative_of_one_side_alone_can_keep_its_graph(backend):
    a, b = pair(1, 4, 6)
    a.requires_grad_()
    (first,) = torch.autograd.grad(relation(a, b, backend=backend).sum(), a, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), a)
    (truth,) = torch.autograd.grad(relation(a, b, backend="naive").sum(), a, create_graph=True)
    torch.testing.assert_close(second, torch.autograd.grad(truth.square().sum(), a)[0])


def test_functional_transforms_work_on_the_definition_and_are_refused_elsewhere():
    a, b = pair(1, 4, 6)
    found = torch.func.grad(lambda a: relation(a, b, backend="naive").square().sum())(a)
    leaf = a.clone().requires_grad_()
    torch.testing.assert_close(found, torch.autograd.grad(relation(leaf, b).square().sum(), leaf)[0])
    both = torch.vmap(lambda a: relation(a, b, backend="naive"))(torch.stack([a, b]))
    torch.testing.assert_close(both[1], relation(b, b))
    for backend in ("auto", "tiled"):
        with pytest.raises(ValueError, match=r"^torch\.func and vmap need backend='naive'; got .*$"):
            torch.vmap(lambda a, backend=backend: relation(a, b, backend=backend))(a[None])


def test_the_selective_scan_too():
    generator = torch.Generator().manual_seed(0)
    shapes = (1, 4, 3), (1, 4, 3), (3, 2), (1, 4, 2), (1, 4, 2)
    inputs = [torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_() for shape in shapes]

    def penalty(scan):
        first = torch.autograd.grad(scan(*inputs)[0].sum(), inputs, create_graph=True)
        return torch.autograd.grad(sum(x.square().sum() for x in first), inputs)

    torch.testing.assert_close(penalty(selective_scan), penalty(selective_scan_reference))
    assert torch.autograd.gradgradcheck(lambda *inputs: selective_scan(*inputs)[0], inputs)


def test_the_scan_of_a_model_whose_steps_are_made_of_its_input(monkeypatch):
    """Every SSM: `delta`, `B` and `C` are computed from `u`."""
    model, ids = small_model(kind="ssm"), tokens(2, 7)
    weights = normal(2, 7, VOCAB, seed=3)

    def derivatives():
        return first_and_second(lambda: (model(ids).tanh() * weights).sum(), list(model.parameters()))

    compiled = derivatives()
    monkeypatch.setattr("crn_lib.ops.selective_scan.fused_cpu_missing", lambda: "gone")
    truth = derivatives()
    for found, true in zip(compiled, truth, strict=True):
        torch.testing.assert_close(found, true, rtol=1e-8, atol=1e-9)


def test_functional_transforms_work_on_the_selective_scan():
    generator = torch.Generator().manual_seed(0)
    shapes = (2, 4, 3), (2, 4, 3), (3, 2), (2, 4, 2), (2, 4, 2)
    u, *others = [torch.randn(shape, generator=generator) for shape in shapes]
    found = torch.func.grad(lambda u: selective_scan(u, *others)[0].square().sum())(u)
    leaf = u.clone().requires_grad_()
    torch.testing.assert_close(found, torch.autograd.grad(selective_scan(leaf, *others)[0].square().sum(), leaf)[0])
    both = torch.vmap(lambda u: selective_scan(u, *others)[0])(torch.stack([u, -u]))
    torch.testing.assert_close(both[1], selective_scan(-u, *others)[0])


@pytest.mark.parametrize("backend", ["tiled", "fused", "linear"])
def test_forward_mode_and_batched_gradients_are_refused_and_never_wrong(backend):
    """torch says so itself, of every function that has a backward pass of its own."""
    a, b = pair(1, 4, 6)
    options = {"norm": "approx" if backend == "linear" else "exact", "backend": backend}
    leaf = a.clone().requires_grad_()
    out = relation(leaf, b, **options)
    with pytest.raises(RuntimeError, match=r"Batching rule not implemented|vmap: "):  # torch 2.6 has its own words
        torch.autograd.grad(out.flatten(), leaf, torch.eye(out.numel(), dtype=out.dtype), is_grads_batched=True)
    with torch.autograd.forward_ad.dual_level(), pytest.raises(NotImplementedError, match="jvp"):
        relation(torch.autograd.forward_ad.make_dual(a, a), b, **options)
