"""The benchmark: no ratio without agreement, true memory, and rows that say where they were measured."""

import json
import math

import pytest
import torch

from crn_lib.bench import CASES, Disagreement, run_case, run_cases, table
from crn_lib.bench.cases import decoding_case, exact_case, linear_case, step_case
from crn_lib.bench.limits import bytes_per_second, exponentials_per_second

SMALL = [
    exact_case(2, 9, 8, eager=True, compiled=False),
    exact_case(2, 9, 8, eager=False, compiled=False),
    linear_case(2, 9, 8),
    step_case("causal_rn", 3, 2),
    decoding_case("causal_rn", 5, 4, 2),
]


def test_contenders_that_disagree_are_not_timed():
    timed = []

    def wrong():
        timed.append(1)
        return [torch.tensor([1.0, 2.1])]

    with pytest.raises(Disagreement, match=r"demo: wrong differs from right by 5\.0e-02, more than 1e-02"):
        run_case("demo", {"right": lambda: [torch.tensor([1.0, 2.0])], "wrong": wrong}, tolerance=1e-2)
    assert len(timed) == 1


def test_a_result_that_is_no_number_is_a_disagreement():
    contenders = {"right": lambda: [torch.ones(2)], "nan": lambda: [torch.full((2,), math.nan)]}
    with pytest.raises(Disagreement):
        run_case("demo", contenders, tolerance=1e-2)


def test_a_contender_that_computes_something_else_is_timed_and_not_compared():
    measured = run_case("demo", {"truth": lambda: [torch.ones(2)], "other": lambda: []}, tolerance=0.0)
    assert [m.difference for m in measured] == [0.0, None]
    assert all(m.seconds > 0 and m.repeats >= 2 for m in measured)


def test_the_memory_a_contender_adds_is_seen_even_after_a_hungrier_one():
    def hold(megabytes):
        return lambda: [torch.ones(megabytes * 2**18).sum()[None] * 0]

    contenders = {"none": lambda: [torch.zeros(1)], "large": hold(200), "middle": hold(80)}
    none, large, middle = (m.added_bytes for m in run_case("demo", contenders, tolerance=0.0))
    if none is None:
        pytest.skip("this machine cannot tell")
    assert none < 20e6 < 70e6 < middle < 130e6 < 180e6 < large


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_the_contenders_of_every_kind_of_case_agree(case):
    measured = run_case(case.name, case.prepare(), tolerance=case.tolerance)
    assert len(measured) >= 2 and case.elements > 0


def test_a_row_names_machine_baseline_and_ratio_and_the_table_shows_it():
    rows, disagreements = run_cases(SMALL[:1])
    assert not disagreements and json.loads(json.dumps(rows)) == rows
    eager, fused, attention = rows
    assert eager["ratio"] == 1.0 and fused["baseline"] == "eager"
    assert fused["ratio"] == pytest.approx(eager["seconds"] / fused["seconds"])
    for field in ("threads", "versions", "exponentials_per_second", "bytes_per_second", "processor"):
        assert fused[field]
    headings, *lines = table(rows)
    assert len(lines) == 3 and all(len(line) == len(headings) for line in lines)
    assert attention["difference"] is None and lines[2][-1] == ""


def test_the_limits_are_of_this_machine_and_not_of_a_fast_clock():
    assert 1e7 < exponentials_per_second() < 1e13
    assert 1e8 < bytes_per_second() < 1e13


def test_every_named_case_is_named_once_at_its_length():
    names = [(case.name, case.length) for case in CASES]
    assert len(set(names)) == len(names)
    assert {34, 130, 258, 514, 1026, 4098} <= {length for _, length in names}
