"""Filling a file of measured rows: once each, as they come, by one process; and the keys of what is stored."""

from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest

from crn_lib.experiments import length_generalisation, memory, retrieval, retrieval_onset
from crn_lib.models import KINDS
from crn_lib.paths import checkpoint_folder, data_file
from crn_lib.sweeps import Measurement, RowsBusy, fill_rows, load_sweep, newest_rows, read_rows, sweep_state
from crn_lib.sweeps.rows import Row, config_key


def lock_of(path: Path) -> filelock.FileLock:
    return filelock.FileLock(path.with_name(f".{path.name}.lock"))


def measured(asked: list[set[str]], missing: set[str]) -> Iterator[Row]:
    asked.append(missing)
    for key in sorted(missing):
        yield {"key": key, "value": ord(key)}


def test_only_what_is_missing_is_measured_and_only_once(tmp_path: Path) -> None:
    path, asked = tmp_path / "new" / "rows.jsonl", []
    first = Measurement(["a", "b"], lambda missing: measured(asked, missing))
    second = Measurement(["c"], lambda missing: measured(asked, missing))
    assert fill_rows(path, [first], what="model") == {key: {"key": key, "value": ord(key)} for key in "ab"}
    text = path.read_text()
    assert fill_rows(path, [Measurement(["b", "d"], first.measure), second], what="model").keys() == set("abcd")
    assert asked == [{"a", "b"}, {"d"}, {"c"}]
    assert path.read_text().startswith(text) and len(read_rows(path)) == 4


def test_a_row_is_on_disk_before_the_next_is_measured_and_killed_goes_on_there(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"

    def killed(missing: set[str]) -> Iterator[Row]:
        yield {"key": "a"}
        assert [row["key"] for row in read_rows(path)] == ["a"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_rows(path, [Measurement(["a", "b"], killed)], what="model")
    asked: list[set[str]] = []
    fill_rows(path, [Measurement(["a", "b"], lambda missing: measured(asked, missing))], what="model")
    assert asked == [{"b"}] and set(newest_rows(path)) == {"a", "b"}


def test_no_two_processes_add_rows_to_a_file_and_the_lock_is_given_back(tmp_path: Path) -> None:
    path, asked = tmp_path / "rows.jsonl", []
    measurement = Measurement(["a"], lambda missing: measured(asked, missing))
    with lock_of(path), pytest.raises(RowsBusy, match=r"another process is adding rows to .*rows\.jsonl"):
        fill_rows(path, [measurement], what="model")
    assert asked == [] and not path.exists()

    def locked(missing: set[str]) -> Iterator[Row]:
        with pytest.raises(filelock.Timeout):
            lock_of(path).acquire(timeout=0)
        yield from measured(asked, missing)

    fill_rows(path, [Measurement(["a"], locked)], what="model")
    with lock_of(path).acquire(timeout=0):
        assert len(asked) == 1


def test_every_study_finds_its_stored_rows_by_their_keys() -> None:
    """Otherwise the next `crn measure` would measure everything once more."""

    def stored(study) -> set[str]:
        return set(newest_rows(data_file(study.ROWS)))

    lengths = memory.marked_lengths(memory.LONGEST)
    assert stored(memory) == {memory.row_key(memory.memory_config(kind), n) for kind in KINDS for n in lengths}
    jobs = sweep_state(load_sweep("length_generalisation"), checkpoints=checkpoint_folder()).jobs
    tested = {length_generalisation.row_key(job, n) for job in jobs for n in length_generalisation.lengths_for(job)}
    assert stored(length_generalisation) == tested
    assert stored(retrieval_onset) == {config_key(config) for config in retrieval_onset.grid()}
    runs = {row["run"]: row for row in newest_rows(data_file(retrieval.ROWS)).values()}
    sweeps = {row["sweep"] for row in runs.values()}
    trained = [run for name in sweeps for run in newest_rows(data_file(f"runs/{name}.jsonl")).values()]
    known = {key for run in trained if run["key"] in runs for key in retrieval.model_keys(run, together=False)}
    assert stored(retrieval) <= known
    together = {key for run in trained if run["key"] in runs for key in retrieval.model_keys(run, together=True)}
    moves = {f"move_{shift}" for shift in retrieval.SHIFTS}
    later = {"level_random", "swap_random", "freeze_but_source", "freeze_but_random"} | moves  # not of every old model
    assert {key for key in together if key.split("/")[1] not in later} <= stored(retrieval)
    for study in (length_generalisation, retrieval, retrieval_onset):
        assert {row["strings"] for row in newest_rows(data_file(study.ROWS)).values()} == {study.STRINGS}
    assert {(row["seed"], row["batch"]) for row in newest_rows(data_file(memory.ROWS)).values()} == {(memory.SEED, 1)}
    assert {row["kind"] for row in newest_rows(data_file(retrieval.ROWS)).values()} == set(retrieval.KINDS)
    assert {row["strings_seed"] for row in newest_rows(data_file(retrieval.ROWS)).values()} == {retrieval.SEED}
