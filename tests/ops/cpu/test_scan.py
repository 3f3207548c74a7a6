"""The compiled linear scan: the definition at every width and length, whatever memory held before."""

import pytest
import torch

from crn_lib.ops import relation
from crn_lib.ops.cpu.scan import LINE, scan_relation
from crn_lib.ops.prefix_sum import direct_relation


def inputs(length, width, dtype=torch.float64, batch=2):
    generator = torch.Generator().manual_seed(length * width)
    return torch.randn(2, batch, length, width, generator=generator, dtype=dtype).unbind(0)


def with_scan_gradients(function, a, b, gradient):
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    out = function(a, b)
    return [out.detach(), *torch.autograd.grad(out, (a, b), gradient)]


@pytest.mark.parametrize("length", [1, 2, 63, 129])
@pytest.mark.parametrize("width", [1, 7, LINE, LINE + 1, 2 * LINE, 9 * LINE + 5])
def test_it_is_the_plain_torch_form_with_its_gradients_in_float64(length, width):
    a, b = inputs(length, width)
    gradient = torch.cos(a)
    found = with_scan_gradients(scan_relation, a, b, gradient)
    wanted = with_scan_gradients(lambda a, b: direct_relation(a, b, causal=True), a, b, gradient)
    for x, y in zip(found, wanted, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-12, atol=1e-12)


def test_every_element_is_written_over_what_memory_held(monkeypatch):
    a, b = inputs(30, 70)
    wanted = with_scan_gradients(scan_relation, a, b, torch.ones_like(a))
    monkeypatch.setattr(torch, "empty_like", lambda x, **_: torch.full(x.shape, torch.nan, dtype=x.dtype))
    found = with_scan_gradients(scan_relation, a, b, torch.ones_like(a))
    assert all(torch.equal(x, y) for x, y in zip(found, wanted, strict=True))


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_the_number_of_threads_changes_no_bit(threads, use_threads):
    a, b = inputs(40, 130, torch.float32, batch=3)
    use_threads(1)
    alone = with_scan_gradients(scan_relation, a, b, torch.sin(a))
    use_threads(threads)
    shared = with_scan_gradients(scan_relation, a, b, torch.sin(a))
    assert all(torch.equal(x, y) for x, y in zip(alone, shared, strict=True))


def test_a_long_float32_scan_keeps_its_digits():
    a, b = inputs(20_000, 16, torch.float32, batch=1)
    wanted = relation(a.double(), b.double(), norm="approx")
    found = relation(a, b, norm="approx").double()
    assert float((found - wanted).abs().max() / wanted.abs().max()) < 2e-6


def test_inputs_and_gradients_that_are_views_are_read_rightly():
    a, b = (x.transpose(0, 1) for x in inputs(20, 24, batch=5))
    gradient = torch.ones(1).expand(a.shape)
    found = with_scan_gradients(scan_relation, a, b, gradient.to(a.dtype))
    wanted = with_scan_gradients(scan_relation, a.contiguous(), b.contiguous(), torch.ones_like(a))
    assert all(torch.equal(x, y) for x, y in zip(found, wanted, strict=True))


def test_a_number_that_is_none_is_not_hidden():
    a, b = inputs(6, 9, torch.float32)
    b[0, 2, 3] = torch.nan
    out = scan_relation(a, b)
    assert out[0, 2:, 3].isnan().all() and out[0, :2].isfinite().all() and out[1].isfinite().all()
