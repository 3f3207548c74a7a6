"""The formulas of `crn_lib/ops/README.md`: its code is run, and compared with autograd of the definition."""

import re
from pathlib import Path

import pytest
import torch
from relation_cases import normal

import crn_lib.ops
from crn_lib.ops.naive import ACTIVATION_FUNCTIONS, naive_relation
from crn_lib.ops.normalise import PAIR_NORMS

README = Path(crn_lib.ops.__file__).with_name("README.md").read_text(encoding="utf-8")
FORMULAS: dict = {"torch": torch}
for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
    exec(block, FORMULAS)

LENGTHS = [1, 2, 7, 33]
WIDTH = 13
OF_SUM = ["exact", "rms", "unit"]
OF_ROW = ["none", "approx", "mean"]
SAME = {"rtol": 1e-10, "atol": 1e-12}


def rows(length: int) -> list[torch.Tensor]:
    """Receivers, senders, and the gradient that arrives: `(length, width)` each."""
    return [normal(length, WIDTH, seed=seed) for seed in range(3)]


def definition(a, b, g, norm, activation):
    """What the definition gives, and autograd's gradients of it."""
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    out = naive_relation(a[None], b[None], norm=norm, activation=activation, causal=True)[0]
    return out.detach(), torch.autograd.grad(out, (a, b), g)


def slope_of(activation):
    """`f'`, by autograd of `f` alone."""

    def slope(u):
        u = u.clone().requires_grad_()
        return torch.autograd.grad(ACTIVATION_FUNCTIONS[activation](u).sum(), u)[0]

    return slope


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("activation", ["exp", "squared_relu", "gelu"])
@pytest.mark.parametrize("norm", OF_SUM)
def test_one_scale_a_pair_forward_and_backward(norm, activation, length):
    a, b, g = rows(length)
    out, gradients = definition(a, b, g, norm, activation)
    torch.testing.assert_close(FORMULAS["forward"](a, b, ACTIVATION_FUNCTIONS[activation], norm), out, **SAME)
    for backward in ("backward", "backward_by_products"):
        found = FORMULAS[backward](a, b, g, slope_of(activation), norm)
        torch.testing.assert_close(tuple(found), gradients, **SAME)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("norm", OF_ROW)
def test_the_running_sums_forward_and_backward(norm, length):
    a, b, g = rows(length)
    out, gradients = definition(a, b, g, norm, "exp")
    a, b = a.requires_grad_(), b.requires_grad_()
    each = [PAIR_NORMS[norm].of_row(x) for x in (a, b)]
    torch.testing.assert_close(FORMULAS["linear_forward"](*each).detach(), out, **SAME)
    with torch.no_grad():
        through = FORMULAS["linear_backward"](*each, g)
    torch.testing.assert_close(torch.autograd.grad(each, (a, b), through), gradients, **SAME)


def test_every_norm_but_variance_is_in_one_of_the_two_forms():
    assert {*OF_SUM, *OF_ROW, "variance"} == set(PAIR_NORMS)
    assert all((PAIR_NORMS[norm].of_sum is None) == (norm in OF_ROW) for norm in PAIR_NORMS)


@pytest.mark.parametrize("left", [1e-1, 1e-2, 1e-3])
def test_the_expanded_variance_loses_as_many_digits_as_the_readme_says(left):
    a = normal(1, 192).float()
    b = left * normal(1, 192, seed=1).float() - a
    A, B = (x.double() - x.double().mean() for x in (a, b))
    left_over = (A + B).square().sum()
    amplified = (A.square().sum() + B.square().sum()) / left_over

    def error(scale):
        return abs((scale.double() ** -2 * 192 / left_over).item() - 1)

    rounding = torch.finfo(torch.float32).eps
    assert 0.01 * rounding * amplified < error(FORMULAS["pairs"](a, b, "exact")[2]) < 4 * rounding * amplified
    z = (a + b) - (a.double().mean() + b.double().mean()).float()  # what the kernels sum for such a pair
    assert error(z.square().mean().rsqrt()) < 10 * rounding
