"""Readable senders: the integrals against closed forms and against drawn numbers, and the numbers they give."""

import math

import pytest
import torch

from crn_lib.analysis import copy_sources, readable_senders, senders_seen
from crn_lib.analysis.readable import under_normal
from crn_lib.ops.activations import ACTIVATION_FUNCTIONS

CLOSED = {  # mean and variance of f(g)
    "exp": (math.exp(0.5), math.e**2 - math.e),
    "relu": (1 / math.sqrt(2 * math.pi), 1 / 2 - 1 / (2 * math.pi)),
    "squared_relu": (1 / 2, 3 / 2 - 1 / 4),
    "identity": (0.0, 1.0),
}


@pytest.mark.parametrize("name", CLOSED)
def test_mean_and_variance_are_those_of_the_closed_form(name):
    found = under_normal(ACTIVATION_FUNCTIONS[name])
    assert (found.mean, found.variance) == pytest.approx(CLOSED[name], rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", ["gelu", "elu", "softplus"])
def test_mean_and_variance_are_those_of_drawn_numbers(name, generator):
    drawn = ACTIVATION_FUNCTIONS[name](torch.randn(1_000_000, generator=generator, dtype=torch.float64))
    found = under_normal(ACTIVATION_FUNCTIONS[name])
    assert found.mean == pytest.approx(drawn.mean().item(), abs=5e-3)
    assert found.variance == pytest.approx(drawn.var().item(), rel=1e-2)


def test_the_numbers_are_those_of_the_formula_by_hand():
    for width in (8, 64):
        closed = math.exp(2 * math.sqrt(width - 1)) / ((math.e**2 - math.e) * 2 * math.log(width))
        assert readable_senders("exp", width) == pytest.approx(closed, rel=1e-7)
        closed = (width - 1) ** 2 / (1.25 * 2 * math.log(width))
        assert readable_senders("squared_relu", width) == pytest.approx(closed, rel=1e-7)


def test_senders_seen_are_those_of_the_rows_that_write_a_letter():
    for length in (4, 16):
        rows = copy_sources(length).rows[:-1]
        assert senders_seen(length) == (rows + 1).double().mean()
