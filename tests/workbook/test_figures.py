"""`crn publish`: the stored figures show the stored rows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crn_lib.experiments.comparison import Comparison
from crn_lib.experiments.verdicts import Share
from crn_lib.paths import workbook_folder
from crn_lib.sweeps import load_sweep, newest_rows
from crn_lib.sweeps.rows import seedless
from crn_lib.sweeps.stored_runs import Spread
from crn_lib.sweeps.sweep import own_sweeps
from crn_lib.viz import describe
from crn_lib.workbook import figures, results_table, speed_page
from crn_lib.workbook.generated import text_between


def stored(name: str) -> tuple[list[dict[str, Any]], str]:
    """The traces of a stored page, and the page."""
    page = (workbook_folder() / "figures" / f"{name}.html").read_text(encoding="utf-8")
    start = re.search(rf'Plotly\.newPlot\(\s*"{name}",\s*', page)
    assert start is not None
    return json.JSONDecoder().raw_decode(page, start.end())[0], page


@pytest.mark.parametrize("name", figures.FIGURES)
def test_each_stored_figure_shows_the_stored_rows(name: str) -> None:
    traces, page = stored(name)
    drawn = figures.FIGURES[name](workbook_folder())
    assert traces == json.loads(drawn.to_json())["data"], f"{name} is stale: crn publish"
    assert describe(drawn) in page
    assert (workbook_folder() / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_and_the_readme_hold_the_tables_of_the_stored_rows() -> None:
    root = workbook_folder()
    for path, text in results_table.updated(root).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: crn publish results"


def test_every_stored_run_is_counted_in_one_line_with_rate_parameters_and_interval() -> None:
    root = workbook_folder()
    lines = [line.strip("| ").split(" | ") for line in results_table.results_markdown(root).splitlines()]
    no_run = ("---", results_table.HEADINGS[0])
    lines = [line for line in lines if len(line) == len(results_table.HEADINGS) and line[0] not in no_run]
    sweeps = [name for names in results_table.SECTIONS.values() for name in names]
    counted = [re.match(r"\d+ of (\d+) \(\d+% to \d+%", line[5]) for line in lines]
    assert sum(int(found[1]) for found in counted if found) == len(results_table.runs_of(root, sweeps))
    assert all(counted) and all(int(line[2].replace(",", "")) > 1000 and float(line[4]) > 0 for line in lines)
    on_gpu = [line for line in lines if "cpu" not in line[-1]]
    assert on_gpu and {line[8] for line in on_gpu} == {"–"}, "seconds of a shared GPU are not shown"


def test_no_two_lines_of_a_table_are_called_the_same() -> None:
    """By task, model, shape, rate and steps: whoever reads a line must know which of the runs it is of."""
    for sweeps in results_table.SECTIONS.values():
        called: dict[tuple[str, ...], set[str]] = {}
        for run in results_table.runs_of(workbook_folder(), sweeps):
            (line,) = results_table._lines([run])
            label = (*line[:2], *line[3:5], str(run.row["training"]["steps"]))
            called.setdefault(label, set()).add(seedless(run.row))
        assert not {label: runs for label, runs in called.items() if len(runs) > 1}


def test_a_line_of_text_gives_the_loss_by_which_its_runs_are_compared() -> None:
    """And then the share that the lines of other tasks give, which another rate may have the most of."""
    texts = results_table.runs_of(workbook_folder(), ["text"])
    (line,) = results_table._lines(texts[:1])
    row = texts[0].row
    assert line[9] == f"{row['bits_per_byte']:.2f} bits per byte / {row['accuracy']:.1%}"
    (line,) = results_table._lines(results_table.runs_of(workbook_folder(), ["recall"])[:1])
    assert "bits" not in line[9]


def test_what_copies_is_of_copying_and_other_tasks_reach_a_score() -> None:
    root = workbook_folder()
    for heading, sweeps in results_table.SECTIONS.items():
        runs = results_table.runs_of(root, sweeps)
        word = "reach" if heading.startswith("Beyond copying") else "copy"
        assert results_table.headings_of(runs)[5] == f"seeds that {word} 99% (interval)"
        assert " | ".join(results_table.headings_of(runs)) in results_table.results_markdown(root)


def test_the_page_counts_the_runs_that_were_asked_for_and_not_done(tmp_path: Path) -> None:
    runs = tmp_path / "figures/data/runs"
    runs.mkdir(parents=True)
    none = {line[0].strip("`"): line[1:3] for line in results_table._not_done(tmp_path, own_sweeps())}
    assert set(none) == set(own_sweeps()) and {stored for _, stored in none.values()} == {"0"}
    for name in ("paper_shape", "text"):
        (runs / f"{name}.jsonl").write_text((workbook_folder() / f"figures/data/runs/{name}.jsonl").read_text())
    some = {line[0].strip("`"): line[1:3] for line in results_table._not_done(tmp_path, own_sweeps())}
    assert "paper_shape" not in some and set(some) >= set(none) - {"paper_shape", "text"}
    if "text" in some:
        assert 0 < int(some["text"][1]) < int(some["text"][0])


def test_that_neither_copies_is_said_where_neither_does(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = results_table.short_markdown(workbook_folder()).splitlines()
    assert sum("open, neither copies 99%" in line for line in lines) == 2
    monkeypatch.setattr(Share, "works", True)  # a CausalRN copies, say, and the Transformer may or may not
    monkeypatch.setattr(Comparison, "verdict", None)
    (mixed,) = (line for line in results_table.short_markdown(workbook_folder()).splitlines() if "rates of" in line)
    assert mixed.endswith("| open; the ranges overlap |")


def test_a_side_is_ahead_where_all_its_seeds_are() -> None:
    low, high, between = Spread(0.5, 0.4, 0.6), Spread(0.9, 0.8, 1.0), Spread(0.7, 0.5, 0.85)
    said = [results_table._ranges(*sides) for sides in ((high, low), (low, high), (high, between))]
    assert said == ["the CausalRN is ahead", "the CausalRN is behind", "the ranges overlap"]


def test_sizes_that_others_published_are_no_gap_of_ours(tmp_path: Path) -> None:
    assert set(results_table.PUBLISHED) < set(own_sweeps())
    *_, ours, theirs = results_table.results_markdown(tmp_path).split("## ")
    assert ours.startswith("Asked for and not run") and theirs.startswith("Published sizes, not run here")
    for name in own_sweeps():
        line = f"| `{name}` |"
        assert (line in theirs, line in ours) == (
            (name in results_table.PUBLISHED),
            (name not in results_table.PUBLISHED),
        )


def test_a_published_size_says_that_it_has_no_row_as_long_as_it_has_none() -> None:
    for name in results_table.PUBLISHED:
        sweep = load_sweep(name)
        assert ("no row yet" in sweep.about) == (not newest_rows(sweep.rows)), f"{name}: its `about` is out of date"


def test_the_readme_has_few_lines_and_says_where_a_yardstick_fails_and_where_we_are_behind() -> None:
    _, _, *lines = results_table.short_markdown(workbook_folder()).splitlines()
    mixed = [line for line in lines if " to 32" in line]
    assert len(lines) in (8, 9) and lines[7:] == mixed and "behind" in mixed[0]
    for line in lines[:7]:
        *_, theirs, verdict = line.strip("| ").split(" | ")
        copied, runs = map(int, re.findall(r"(\d+) of (\d+)", theirs)[0])
        assert (verdict != "yes") if 2 * copied <= runs else (verdict in ("yes", "no", "open"))


def test_the_page_on_speed_holds_what_the_stored_rows_say() -> None:
    root = workbook_folder()
    own = speed_page.speed_markdown(root)
    assert text_between(root / speed_page.PAGE, speed_page.START, speed_page.END, own) == (
        root / speed_page.PAGE
    ).read_text(encoding="utf-8")
    ours = [row for row in speed_page.rows_of(root) if row["contender"] == "fused"]
    if (root / "figures/data" / speed_page.NARROWER).exists():
        ours += [row for row in speed_page.rows_of(root, speed_page.NARROWER) if row["contender"] == "fused"]
    lines = [line.strip("| ").split(" | ") for line in own.splitlines() if re.match(r"\| \d", line)]
    for row, (tokens, kernel, floor, share, memory, *_) in zip(ours, lines, strict=True):
        assert row["length"] == int(tokens.replace(",", ""))
        assert share == f"{2 * row['share_of_limit']:.0%}"  # two exponentials an element, where `crn bench` counts one
        milliseconds = [float(text.removesuffix(" ms")) for text in (memory, floor, kernel)]
        assert milliseconds == sorted(milliseconds) and len(set(milliseconds)) == 3


def test_the_page_on_speed_shows_narrower_vectors_beside_the_machines_own(tmp_path: Path) -> None:
    data = tmp_path / "figures/data"
    data.mkdir(parents=True)
    rows = [{**row, "processor": "demo chip", "vectors": "avx512"} for row in speed_page.rows_of(workbook_folder())]
    (data / "bench.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    alone = speed_page.speed_markdown(tmp_path)
    slower = [{**row, "vectors": "avx2", "exponentials_per_second": 1e10} for row in rows]
    (data / speed_page.NARROWER).write_text("".join(json.dumps(row) + "\n" for row in slower))
    both = speed_page.speed_markdown(tmp_path)
    assert "demo chip (avx512), 2 threads" in alone and both.startswith(alone)
    second = both.removeprefix(alone)
    assert "Held to avx2" in second and "takes in cache 10.0 G" in second and "demo chip (avx2), 2 threads" in second


def test_the_page_on_speed_says_what_threads_cost_beside_other_programs(tmp_path: Path) -> None:
    data = tmp_path / "figures/data"
    data.mkdir(parents=True)
    (data / "bench.jsonl").write_text((workbook_folder() / "figures/data/bench.jsonl").read_text())
    row = {"case": "step", "length": 34, "imported_first": "torch", "processor": "demo chip", "vectors": "avx2"}
    cases = {(0, 1): (0.01, 1.0), (0, 2): (0.005, 0.5), (2, 1): (0.02, 1.0), (2, 2): (0.06, 3.0)}
    rows = [
        {**row, "busy": busy, "threads": threads, "seconds": seconds, "ratio": ratio}
        for (busy, threads), (seconds, ratio) in cases.items()
    ]
    (data / speed_page.BESIDE_OTHERS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = speed_page.speed_markdown(tmp_path)
    assert "| step | 34 | `torch` | 5 ms, 0.50x | 60 ms, 3.00x |" in page
    assert "At most 3.00 times: step, 34 tokens, `torch` first, beside 2." in page


def test_a_page_without_its_marks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/results.md").write_text("nothing")
    (tmp_path / "figures").symlink_to(workbook_folder() / "figures")
    with pytest.raises(ValueError, match="needs the line <!-- results"):
        results_table.updated(tmp_path)
