"""The benchmark: no ratio without agreement, true memory, and rows that say where they were measured."""

import contextlib
import io
import json
import math
import os
import subprocess
import sys

import pytest
import torch

from crn_lib.bench import (
    CASES,
    GPU_CASES,
    PANEL_CASES,
    Disagreement,
    busy,
    cases,
    destination,
    limits_in_words,
    not_run,
    report,
    run_case,
    run_cases,
    table,
)
from crn_lib.bench.baselines import compiled_definition, definition, masked_before_exp, normalised_by_hand
from crn_lib.bench.busy import BUSY, busy_processes
from crn_lib.bench.cases import decoding_case, exact_case, linear_case, step_case, too_large
from crn_lib.bench.first_call import MODEL, PROGRAM, RELATION, first_call_seconds
from crn_lib.bench.inputs import relation_inputs, with_gradients
from crn_lib.bench.limits import bytes_per_second, exponentials_per_second
from crn_lib.bench.own_settings import TORCHS_OWN, measure_elsewhere
from crn_lib.bench.timing import Elsewhere
from crn_lib.ops.naive import naive_relation
from crn_lib.paths import data_file, workbook_folder
from crn_lib.provenance import COMMIT
from crn_lib.sweeps import read_rows

SMALL = [
    exact_case(2, 9, 8),
    linear_case(2, 9, 8),
    step_case("causal_rn", 3, 2),
    decoding_case("causal_rn", 5, 4, 2),
]


@pytest.fixture
def without_compiler(monkeypatch):
    monkeypatch.setattr(cases, "compile_missing", lambda device: "no compiler")


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


@pytest.mark.slow
def test_the_memory_a_contender_adds_is_seen_even_after_a_hungrier_one():
    def hold(megabytes):
        return lambda: [torch.ones(megabytes * 2**18).sum()[None] * 0]

    contenders = {"none": lambda: [torch.zeros(1)], "large": hold(200), "middle": hold(80)}
    none, large, middle = (m.added_bytes for m in run_case("demo", contenders, tolerance=0.0))
    if none is None:
        pytest.skip("this machine cannot tell")
    assert none < 20e6 < 70e6 < middle < 130e6 < 180e6 < large


@pytest.mark.slow
@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_the_contenders_of_every_kind_of_case_agree(case):
    assert cases.compile_missing("cpu") == ""
    measured = run_case(case.name, case.prepare(), tolerance=case.tolerance)
    assert len(measured) >= 2 and case.elements > 0


def test_compiled_code_is_dropped_between_cases_since_torch_keeps_eight_shapes_only(monkeypatch):
    resets = []
    monkeypatch.setattr(torch.compiler, "reset", lambda: resets.append(1))
    for _ in range(2):
        compiled_definition()
    assert len(resets) == 2


def test_plain_torch_is_timed_with_torchs_own_settings_and_this_process_with_the_librarys():
    program = f"import crn_lib, os; print([os.environ.get(name) for name in {list(TORCHS_OWN)!r}])"
    shown = [
        subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True).stdout.strip()
        for environment in (os.environ | TORCHS_OWN, {k: v for k, v in os.environ.items() if k not in TORCHS_OWN})
    ]
    assert shown[0] == str(list(TORCHS_OWN.values())) and shown[1] != shown[0]


@pytest.mark.slow
def test_another_process_gives_results_and_times_or_says_why_not(use_threads):
    use_threads(1)
    found = measure_elsewhere(["eager", "nobody's"], 2, 9, 8)
    eager, missing = found["eager"], found["nobody's"]
    a, b, gradient = relation_inputs(2, 9, 8)
    for one, other in zip(eager.results, with_gradients(definition, a, b, gradient), strict=True):
        torch.testing.assert_close(one, other)
    assert eager.seconds > 0 and eager.repeats >= 2 and (eager.added_bytes is None or eager.added_bytes >= 0)
    assert missing == 'stopped with exit status 1: KeyError: "nobody\'s"'


def test_what_another_process_measured_is_compared_like_the_rest():
    there = Elsewhere([torch.ones(3)], seconds=4.0, repeats=2, added_bytes=7)
    measured = run_case("demo", {"there": there, "here": lambda: [torch.ones(3)]}, tolerance=0.0)
    assert (measured[0].seconds, measured[0].added_bytes, measured[1].difference) == (4.0, 7, 0.0)
    with pytest.raises(Disagreement, match="here differs from there"):
        run_case("demo", {"there": there, "here": lambda: [torch.zeros(3)]}, tolerance=0.1)


@pytest.mark.parametrize("baseline", [masked_before_exp, normalised_by_hand])
@pytest.mark.parametrize("length", [1, 7])
def test_the_other_plain_forms_are_the_definition(baseline, length, generator):
    a, b, gradient = torch.randn(3, 2, length, 6, dtype=torch.float64, generator=generator)
    a, b = a.requires_grad_(), b.requires_grad_()
    right = naive_relation(a, b, norm="exact", activation="exp", causal=True)
    out = baseline(a, b)
    torch.testing.assert_close(out, right)
    for found, wanted in zip(*(torch.autograd.grad(x, (a, b), gradient) for x in (out, right)), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.slow
def test_a_row_names_machine_baseline_and_ratio_and_the_table_shows_it(without_compiler):
    rows, disagreements = run_cases([exact_case(2, 9, 8)])
    assert not disagreements and json.loads(json.dumps(rows)) == rows
    by_name = {row["contender"]: row for row in rows}
    eager, fused, attention = by_name["eager"], by_name["fused"], by_name["SDPA attention"]
    assert eager["ratio"] == 1.0 and fused["baseline"] == "eager"
    assert fused["ratio"] == pytest.approx(eager["seconds"] / fused["seconds"])
    least = 2 * 9 * 10 / 2 * 8 / fused["exponentials_per_second"]
    assert fused["share_of_limit"] == pytest.approx(least / fused["seconds"]) and attention["share_of_limit"] is None
    for field in ("threads", "versions", "exponentials_per_second", "bytes_per_second", "processor", "vectors"):
        assert fused[field]
    assert fused["device"] == "cpu" and fused["commit"] == COMMIT
    headings, *lines = table(rows)
    assert len(lines) == len(rows) and all(len(line) == len(headings) for line in lines)
    assert lines[0][4] == "" and lines[-2][4] == f"{fused['ratio']:.1f}x eager"
    assert attention["difference"] is None and lines[-1][-1] == ""


@pytest.mark.slow
def test_what_would_not_fit_or_cannot_run_is_left_out_and_named(without_compiler, monkeypatch):
    monkeypatch.setattr(cases, "MOST_BYTES", 4 * 3.5 * 9**2 * 8)  # three and a half arrays of pairs
    rows, _ = run_cases([exact_case(1, 9, 8)])
    assert [row["contender"] for row in rows] == ["eager, masked before exp", "tiled", "fused", "SDPA attention"]
    left_out = {"eager", "eager, layer norm by hand", "torch.compile"}
    assert set(rows[0]["not_run"]) == left_out | {"eager, 2 MiB pages", "torch.compile, 2 MiB pages"}
    assert all(row["baseline"] == "eager, masked before exp" for row in rows)
    (line,) = not_run(rows)
    assert "length 9" in line and "torch.compile (no compiler)" in line and "eager (needs 0.0 GB)" in line


def test_compiled_code_that_ends_its_process_costs_no_row_of_others(monkeypatch):
    died = "stopped with exit status -6: malloc(): unaligned tcache chunk detected"

    def measure(contenders, batch, length, width, settings):
        made = with_gradients(definition, *relation_inputs(batch, length, width))
        there = Elsewhere([one.detach() for one in made], seconds=1.0, repeats=2, added_bytes=7)
        return {name: died if name == "torch.compile" else there for name in contenders}

    monkeypatch.setattr(cases, "measure_elsewhere", measure)
    monkeypatch.setattr(cases, "compile_missing", lambda device: "")
    rows, disagreements = run_cases([exact_case(2, 9, 8)])
    assert disagreements == [] and "fused" in {row["contender"] for row in rows}
    assert rows[0]["not_run"] == {"torch.compile": died, "torch.compile, 2 MiB pages": died}


def test_plain_torch_is_left_out_of_the_longest_sequences_only():
    assert too_large("eager", 1, 4098, 192, 5e9) == "needs 51.6 GB"
    assert too_large("eager", 8, 258, 192, 5e9) == too_large("fused", 1, 4098, 192, 5e9) == ""


def test_the_limits_are_of_this_machine_and_not_of_a_fast_clock():
    assert 1e7 < exponentials_per_second() < 1e13
    assert 1e8 < bytes_per_second() < 1e13


def test_the_busy_processes_are_there_in_the_block_only(monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    with contextlib.suppress(KeyError), busy_processes(2):
        assert [process.poll() for process in started] == [None, None]
        raise KeyError
    assert len(started) == 2 and all(process.poll() is not None for process in started)


def test_a_busy_process_ends_with_the_one_that_started_it():
    process = subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE)
    assert process.poll() is None
    process.stdin.close()  # as the end of this process would
    assert process.wait(timeout=10) == 0


def test_beside_busy_processes_every_thing_is_timed_for_one_thread_and_for_all(monkeypatch):
    monkeypatch.setattr(busy, "THINGS", (None, ("a thing", 34, lambda: lambda: None)))
    monkeypatch.setattr(busy, "SECONDS", 0.0)
    before = torch.get_num_threads()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        busy.measure(3, 1)
    torch.set_num_threads(before)
    one, all_of_them = json.loads(printed.getvalue())
    assert (one["threads"], one["ratio"], all_of_them["threads"]) == (1, 1.0, 3)
    assert all_of_them["ratio"] >= all_of_them["seconds"] / one["seconds"]


@pytest.mark.slow
def test_a_gpus_contenders_all_run_in_this_process_and_agree(without_compiler, monkeypatch):
    """On `cpu:0`, which is no GPU, but goes its way."""
    monkeypatch.setattr(cases, "measure_elsewhere", lambda *_: pytest.fail("another process"))
    monkeypatch.setattr(report, "exponentials_per_second", lambda: None)
    rows, disagreements = run_cases([exact_case(2, 9, 8, "cpu:0")])
    assert not disagreements and rows[0]["not_run"] == {"torch.compile": "no compiler"}
    plain = ["eager", "eager, masked before exp", "eager, layer norm by hand"]
    ours = ["tiled", "fused", "SDPA attention", "SDPA attention, bfloat16"]
    assert [row["contender"] for row in rows] == plain + ours
    assert {row["share_of_limit"] for row in rows} == {None} and len(table(rows)) == 8
    assert (
        limits_in_words(rows[0])
        == f"limits: {rows[0]['bytes_per_second'] / 1e9:.1f} GB/s of memory, {rows[0]['processor']}"
    )


def test_the_cases_of_a_gpu_are_those_of_the_cpu_without_decoding():
    names = [(case.name, case.length) for case in CASES if not case.name.startswith("decoding")]
    assert [(case.name, case.length) for case in GPU_CASES] == names
    assert {case.device for case in GPU_CASES} == {"cuda"} and {case.device for case in CASES} == {"cpu"}


def test_the_rows_of_a_gpu_name_it_and_say_what_was_not_measured():
    rows = read_rows(data_file("bench_cuda.jsonl"))
    assert len(table(rows)) == len(rows) + 1
    for row in rows:
        assert row["device"] == "cuda" and row["processor"].startswith("NVIDIA") and row["versions"]["triton"]
        first = next(one for one in rows if (one["case"], one["length"]) == (row["case"], row["length"]))
        assert row["baseline"] == first["contender"]
        assert row["ratio"] == pytest.approx(first["seconds"] / row["seconds"])
        assert row["added_bytes"] is None or row["added_bytes"] >= 0
        assert row["difference"] is None or row["difference"] < 1e-4


def test_every_named_case_is_named_once_at_its_length():
    names = [(case.name, case.length) for case in CASES]
    assert len(set(names)) == len(names)
    assert {34, 130, 258, 514, 1026, 4098} <= {length for _, length in names}
    assert set(PANEL_CASES) <= {name for name, _ in names}
    for panel in PANEL_CASES:
        assert len([name for name, _ in names if name == panel]) >= 6


def test_only_a_run_of_all_cases_with_this_cpus_own_vectors_replaces_the_stored_rows(tmp_path, monkeypatch):
    stored, picture = destination(None, None, complete=True)
    assert stored == workbook_folder() / "figures" / "data" / "bench.jsonl"
    assert picture == workbook_folder() / "figures" / "bench"
    for place in destination(None, None, complete=False):
        assert not place.resolve().is_relative_to(workbook_folder() / "figures")
    on_gpu = destination(None, None, complete=True, device="cuda")
    assert on_gpu == (stored.with_name("bench_cuda.jsonl"), picture.with_name("bench_cuda"))
    assert destination(None, None, complete=False, device="cuda")[0].name == "bench_cuda.jsonl"
    monkeypatch.setattr(report, "forced_vectors", lambda: "avx2")
    narrower, drawn = destination(None, None, complete=True)
    assert narrower == stored.with_name("bench_avx2.jsonl")
    assert not drawn.resolve().is_relative_to(workbook_folder() / "figures")
    assert destination(None, None, complete=True, device="cuda") == on_gpu
    named = tmp_path / "mine.jsonl"
    for complete in (True, False):
        assert destination(named, None, complete=complete) == (named, tmp_path / "mine")
    assert destination(named, tmp_path / "drawn", complete=True)[1] == tmp_path / "drawn" / "mine"


@pytest.mark.slow
def test_a_fresh_process_does_not_compile_again():
    seconds = first_call_seconds()
    assert list(seconds) == ["first_fused_call_seconds", "first_model_seconds", "first_generate_seconds"]
    assert min(seconds.values()) > 0
    count = """
import sys
from numba.core.dispatcher import Dispatcher
own = [vars(module) for name, module in list(sys.modules.items()) if name.startswith("crn_lib.")]
kernels = {id(x): x.stats for names in own for x in names.values() if isinstance(x, Dispatcher)}.values()
print(sum(len(k.cache_hits) for k in kernels), sum(len(k.cache_misses) for k in kernels))
"""
    for program in (RELATION, MODEL):
        command = [sys.executable, "-c", PROGRAM + program + count, "cpu"]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        found, compiled = map(int, ran.stdout.split())
        assert found >= 3 and compiled == 0
