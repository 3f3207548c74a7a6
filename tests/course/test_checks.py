"""What a check says to the reader where two answers look alike."""

import pytest
import torch

from crn_lib.course.checks import CheckFailed, expect_same, expect_whole


def test_two_numbers_that_print_alike_are_told_apart() -> None:
    wanted = torch.tensor([1.0, 2.0], dtype=torch.float64).log()
    with pytest.raises(CheckFailed, match=r"got 0\.693147, wanted 0\.693147, off by 2e-09: is there float32") as failed:
        expect_same(1, "two logarithms", torch.tensor([1.0, 2.0]).log().double(), wanted)
    with pytest.raises(CheckFailed, match=r"got 1e\+07, wanted 1e\+07, off by 1$"):
        expect_same(1, "a count", 10_000_001, 10_000_000, tolerance=0)
    with pytest.raises(CheckFailed, match=r"got 0\.5, wanted 0\.25$"):
        expect_same(1, "two halves", 0.5, 0.25)
    assert "\n" not in str(failed.value)


def test_whole_numbers_held_as_floats_are_named_as_such() -> None:
    with pytest.raises(CheckFailed, match=r"got \[1, 3\] \(torch\.float32\), wanted a list of whole numbers"):
        expect_whole(1, "two channels", torch.tensor([1.0, 3.0]))
