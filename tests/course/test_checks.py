"""What a check says to the reader where two answers look alike."""

import re

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from crn_lib.course import check
from crn_lib.course.checks import CheckFailed, expect_same, expect_whole, fail
from tests.course.exercise_answers import WRONG


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


def test_what_came_as_float32_is_compared_as_such_with_plain_numbers_only() -> None:
    third = torch.tensor(1 / 3)
    expect_same(1, "a share", third, 1 / 3)
    with pytest.raises(CheckFailed, match=r"off by .*float32"):
        expect_same(1, "a tensor in float64", third, torch.tensor(1 / 3, dtype=torch.float64))


def test_one_of_a_kind_is_not_said_in_the_plural() -> None:
    with pytest.raises(CheckFailed, match=r"^requirement 2: for 1 letter from 21 letters, 1,001 bits and 1 row: none$"):
        fail(2, "for 1 letters from 21 letters, 1,001 bits and 1 rows: none")


def test_a_failed_check_prints_its_message_and_the_readers_own_line_but_none_of_the_checks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cell = """
from crn_lib import course

def copy_loss(logits, targets):
    return logits.no_such_thing()

course.check("06.loss", copy_loss)
"""
    assert not InteractiveShell().run_cell(cell).success
    printed = re.sub("\x1b[^m]*m", "", capsys.readouterr().out).strip()
    assert printed.startswith(
        "line 4 of copy_loss: return logits.no_such_thing()\nNot yet: it stopped with AttributeError"
    )
    assert ", given logits=" in printed and "expect" not in printed and len(printed.splitlines()) == 2


def test_an_argument_that_was_changed_is_named_with_its_first_changed_entry() -> None:
    with pytest.raises(
        CheckFailed, match=r"changed its argument targets: at index \(0, \d\) it was -100 and is 0; work on"
    ):
        check("06.loss", WRONG["06.loss"]["clears the targets"])
    with pytest.raises(CheckFailed, match=r"^requirement 4: it changed its argument state"):
        check("03.resume", WRONG["03.resume"]["changes the object it is given"])
