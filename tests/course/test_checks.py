"""What a check says to the reader where two answers look alike."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import Tensor

from crn_lib.course import begin, check
from crn_lib.course.checks import expect_same, expect_whole, fail, shown
from crn_lib.course.exercises.work_counter import numbers_in
from crn_lib.course.failures import OTHER_NUMBERS, CheckFailed
from tests.course.exercise_answers import RIGHT, WRONG


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


class Slots:
    """A state whose attributes are no `__dict__`."""

    __slots__ = ("inner",)

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Circular:
    """A state that holds itself, a module, a function and a random stream, besides what counts."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.me, self.torch = inner, self, torch
        self.draws, self.name = torch.Generator(), len


@pytest.mark.parametrize("kind", [Slots, Circular])
def test_a_state_may_be_an_object_of_any_kind(kind: Callable[[Any], Any]) -> None:
    def resume(a: Tensor, b: Tensor, state: Any) -> tuple[Tensor, Any]:
        out, inner = RIGHT["03.resume"](a, b, state and state.inner)
        return out, kind(inner)

    check("03.resume", resume)


@pytest.mark.parametrize("held", [deque, tuple, partial(partial, len), lambda pool: lambda kept=pool: kept])
def test_a_state_that_keeps_every_sender_is_found_wherever_it_keeps_them(held: Callable[[Any], Any]) -> None:
    assert numbers_in(held([1.0, 2.0, 3.0])) >= 3


def test_the_same_line_many_times_over_is_shown_once_and_only_the_last_lines() -> None:
    def deep(n: int) -> int:
        return deep(n - 1) + 1

    with pytest.raises(CheckFailed, match="it stopped with RecursionError") as failed:
        check("01.bits", lambda length, vocab: deep(length))
    assert len(failed.value.lines) <= 6 and any("times)" in line for line in failed.value.lines)


def test_an_answer_that_yields_stops_where_it_is_read_and_says_so() -> None:
    def prompt(text: str) -> Iterator[int]:
        yield from (ord(letter) - "a" for letter in text)  # type: ignore[operator]

    with pytest.raises(CheckFailed, match=r"^it stopped with TypeError: unsupported operand") as failed:
        check("00.prompt", prompt)
    assert 'ord(letter) - "a"' in failed.value.lines[-1]


def test_a_check_that_is_stopped_by_hand_shows_none_of_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    cell = """
from crn_lib import course

def bits(length, vocab):
    raise KeyboardInterrupt

course.check("01.bits", bits)
"""
    assert not InteractiveShell().run_cell(cell).success
    printed = re.sub("\x1b[^m]*m", "", capsys.readouterr().out).strip()
    assert printed.startswith("Stopped by hand.") and len(printed.splitlines()) == 1


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("00.greedy", lambda next_token, prompt, limit: greedy_with(next_token, prompt, limit, torch.tensor)),
        ("00.greedy", lambda next_token, prompt, limit: greedy_with(next_token, prompt, limit, iter)),
        ("02.split", lambda *given: torch.stack(RIGHT["02.split"](*given))),
        ("10.recall", lambda *given: list(RIGHT["10.recall"](*given))),
        ("10.recall", lambda *given: torch.stack(RIGHT["10.recall"](*given))),
        ("11.width", lambda *given: torch.tensor(RIGHT["11.width"](*given))),
        ("05.fits", lambda *given: np.array(RIGHT["05.fits"](*given))),
        ("09.verdict", lambda *given: found if (found := RIGHT["09.verdict"](*given)) is None else np.bool_(found)),
        ("07.verdict", lambda *given: np.str_(RIGHT["07.verdict"](*given))),
    ],
)
def test_the_right_answer_in_another_container_is_right(key: str, answer: Callable[..., Any]) -> None:
    check(key, answer)


def greedy_with(
    next_token: Callable[[Any], int], prompt: list[int], limit: int, held: Callable[[list[int]], Any]
) -> Any:
    """The loop, which hands what has been written on in another container."""
    return RIGHT["00.greedy"](lambda tokens: next_token(held(tokens)), prompt, limit)


def test_complex_numbers_are_no_real_ones() -> None:
    with pytest.raises(CheckFailed, match="got complex numbers, wanted real ones"):
        check("03.prefix", lambda a, b: torch.complex(right := RIGHT["03.prefix"](a, b), right))


def test_names_are_those_of_the_arguments_where_they_are_told() -> None:
    def wrapped(*args: Any) -> int:
        raise ValueError("no")

    with pytest.raises(CheckFailed, match=r"given 1, 2$"):
        check("01.bits", wrapped)
    with pytest.raises(CheckFailed, match=r"given length=1, vocab=2$"):
        check("01.bits", lambda length, vocab, extra=0: wrapped())


def test_a_set_is_shown_in_one_order_in_every_process() -> None:
    """Else a stored message would change whenever its lesson is executed again."""
    assert shown({"c", "a", "b"}) == "{'a', 'b', 'c'}" and shown(frozenset("ba")) == "frozenset({'a', 'b'})"
    assert (shown(set()), shown(frozenset())) == ("set()", "frozenset()")


def test_an_assertion_of_a_lesson_that_fails_says_what_it_means_and_a_check_does_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who added rows would else see a bare AssertionError. The cell fails all the same: headless runs must."""
    shell = InteractiveShell()
    monkeypatch.setattr("crn_lib.course.failures.get_ipython", lambda: shell)
    begin(profile="smoke", seed=0, device="cpu")
    assert not shell.run_cell("assert 1 + 1 == 3").success
    said = capsys.readouterr()
    assert "AssertionError" in said.out and said.err.strip() == OTHER_NUMBERS
    failed = "from crn_lib.course import check\ncheck('01.bits', lambda *_: 0)"
    assert not shell.run_cell(failed).success
    said = capsys.readouterr()
    assert "Not yet: requirement" in said.out and OTHER_NUMBERS not in said.out + said.err
