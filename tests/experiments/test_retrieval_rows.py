"""Rows about retrieval: made once, completely, from a sweep's models; and a time course that is the run itself."""

import json
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from crn_lib.config import ConfigError
from crn_lib.experiments import retrieval, retrieval_onset
from crn_lib.paths import data_file
from crn_lib.provenance import circumstances
from crn_lib.sweeps import newest_rows
from crn_lib.sweeps.jobs import Job, run_job
from crn_lib.sweeps.rows import append_row, config_key
from crn_lib.tasks import CopyingConfig, CopyingTask
from crn_lib.tasks.scores import NOT_SCORED
from crn_lib.training import TrainConfig, train
from tests.tiny import tiny

TASK = CopyingConfig(string_length=4)
SHAPE = ("kind", "norm", "activation", "post_norm", "width", "blocks", "heads")


def look_at(kind: str, **model: str) -> TrainConfig:
    return tiny(kind, task=TASK, width=8, steps=2, batch=4, evaluate_every=1, evaluation_strings=4, **model)


MODELS = [
    look_at("causal_rn"),
    look_at("causal_rn", activation="gelu", norm="approx"),
    look_at("transformer"),
    look_at("linear_rn"),
    look_at("lstm"),
    replace(look_at("causal_rn"), task=CopyingConfig(string_length=4, shortest=2)),
]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """A sweep's files: rows, and checkpoints beside them."""
    folder = tmp_path_factory.mktemp("sweep")
    for config in MODELS:
        job = Job(config_key(config), "tiny", config, folder / "checkpoints" / "tiny" / config_key(config), "cpu")
        append_row(folder / "tiny.jsonl", run_job(job))
    return folder


def runs_of(sweep):
    return retrieval.trained_runs(["tiny"], sweep, sweep / "checkpoints")


def test_models_whose_pairs_cannot_be_looked_at_are_left_out(sweep):
    assert [run["key"] for run, _ in runs_of(sweep)] == [config_key(config) for config in MODELS[:4]]
    with pytest.raises(FileNotFoundError, match=r"the sweep 'other' has no rows in .*; `crn sweep other` makes them"):
        retrieval.trained_runs(["other"], sweep, sweep)


def test_a_sweep_of_another_task_is_refused_in_one_line():
    with pytest.raises(ConfigError, match=r"^this study is of models that copy; the sweep 'hops' trains on hops$"):
        retrieval.trained_runs(["hops"], data_file("runs"), "nowhere")
    with pytest.raises(ConfigError, match=r"the sweep 'recall' trains on recall$"):
        retrieval.trained_runs(["lengths", "recall"], data_file("runs"), "nowhere")


def test_a_run_without_its_checkpoint_is_left_out(sweep, tmp_path):
    assert retrieval.trained_runs(["tiny"], sweep, tmp_path) == []


@pytest.mark.parametrize(("longest", "runs"), [(4, 4), (3, 0)])
def test_runs_on_longer_strings_are_left_out(sweep, monkeypatch, longest, runs):
    monkeypatch.setattr(retrieval, "LONGEST", longest)
    assert len(runs_of(sweep)) == runs


def test_rows_are_complete_made_once_and_the_same_again(sweep, tmp_path):
    path, configs = tmp_path / "rows.jsonl", {config_key(config): config for config in MODELS}
    retrieval.fill_rows(runs_of(sweep), path, together=True)
    first = path.read_text()
    retrieval.fill_rows(runs_of(sweep), path)
    assert path.read_text().startswith(first)
    rows = newest_rows(path)
    assert len(rows) == len(path.read_text().splitlines())
    assert {row["block"] for row in map(json.loads, first.splitlines()) if row["what"] != "look"} == {-1}
    counts = {"exact": 2 + 1 + 11 * 3 + 3, "approx": 2 * (2 + 1 + 4 * 3), None: 2 + 1 + 3 * 3}
    for norm, count in counts.items():
        assert sum(row["norm"] == norm for row in rows.values()) == count
    for row in rows.values():
        config = configs[row["run"]]
        shared = {
            **{name: getattr(config.model, name) for name in SHAPE},
            **{"sweep": "tiny", "seed": 0, "string_length": 4, "training_steps": 2, "learning_rate": 0.01},
            **{"strings": retrieval.STRINGS, "strings_seed": retrieval.SEED, **circumstances("cpu", "float32")},
        }
        assert row | shared == row
        if row["what"] == "look":
            assert 0 <= row["block"] < 2 and 1 <= row["effective_senders"] <= row["seen_senders"]
        elif row["what"].startswith("move_"):
            assert all(0 <= row[name] <= 1 for name in ("chance", "moved_0", "moved_01", "moved_01_by_others"))
        else:
            assert 0 <= row["letters"] <= 1
    looked = rows[retrieval.row_key(config_key(MODELS[0]), "look", 1)]
    assert looked["pool_rows"] == 5 and 1 < looked["pool_rank"] <= 5
    assert rows[retrieval.row_key(config_key(MODELS[3]), "look", 1)]["pool_rank"] == 1, "exp of two sums factorises"

    lines = path.read_text().splitlines(keepends=True)
    for lost in (slice(0, 3), slice(1, 2), slice(2, 3), slice(len(lines) - 1, len(lines))):
        path.write_text("".join(line for line in lines if line not in lines[lost]))
        retrieval.fill_rows(runs_of(sweep), path)
        assert sorted(path.read_text().splitlines(keepends=True)) == sorted(lines), "what was lost, once"


def test_what_an_edit_draws_at_random_is_the_same_for_every_model(sweep, tmp_path, monkeypatch):
    named_edit, drawn = retrieval.named_edit, []

    def noted(name, sources, generator):
        drawn.append(generator.get_state())
        return named_edit(name, sources, generator)

    monkeypatch.setattr(retrieval, "named_edit", noted)
    retrieval.fill_rows(runs_of(sweep), tmp_path / "rows.jsonl", together=True)
    first = torch.Generator().manual_seed(retrieval.SEED).get_state()
    assert len(drawn) == 2 * (11 + 4 + 3 + 4) and all(torch.equal(state, first) for state in drawn[::2])


def test_a_time_course_looks_at_the_run_that_never_stopped():
    config = replace(look_at("causal_rn"), steps=4)
    row = retrieval_onset.course_row(config)
    whole = train(config, device="cpu", progress=False)
    assert [stop["step"] for stop in row["course"]] == [1, 2, 3, 4]
    task = CopyingTask(config.copying)
    fresh = retrieval.fresh_problems(task, retrieval_onset.STRINGS)
    loss = cross_entropy(whole.model(fresh[0]).mT, fresh[1], ignore_index=NOT_SCORED)
    assert row["course"][-1]["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert all(len(stop["found"]) == 2 for stop in row["course"])
    shape = {"kind": "causal_rn", "width": 8, "blocks": 2, "string_length": 4, "batch": 4, "learning_rate": 0.01}
    shared = {"key": config_key(config), "seed": 0, "strings": 64, **shape, **circumstances("cpu", "float32")}
    assert row | shared == row
    [last] = list(retrieval_onset.time_course(config, [4]))
    assert last["found"] == row["course"][-1]["found"]
    assert last["letters"] == row["course"][-1]["letters"]


def test_an_interrupted_time_course_measures_no_half_trained_model(monkeypatch):
    real = retrieval_onset.train

    def interrupted(config, **options):
        return replace(real(config, **options), stopped="interrupted" if config.steps == 2 else "steps")

    monkeypatch.setattr(retrieval_onset, "train", interrupted)
    course = retrieval_onset.time_course(replace(look_at("causal_rn"), steps=3), [1, 2, 3])
    assert next(course)["step"] == 1
    with pytest.raises(KeyboardInterrupt):
        next(course)


def test_time_courses_are_made_once(tmp_path):
    path = tmp_path / "course.jsonl"
    configs = [look_at("transformer")]
    retrieval_onset.fill_rows(configs, path)
    text = path.read_text()
    retrieval_onset.fill_rows(configs, path)
    assert path.read_text() == text and len(newest_rows(path)) == 1


def test_what_a_block_finds_is_read_stop_by_stop_and_the_first_half_counts() -> None:
    course = [{"step": step, "found": [0, share]} for step, share in ((10, 0.2), (20, 0.5), (30, 0.9))]
    found = retrieval_onset.found_in_block(course, 1)
    assert found == [0.2, 0.5, 0.9] and retrieval_onset.crossing(course, found) == 20
    assert retrieval_onset.crossing(course, found, level=0.6) == 30
    assert retrieval_onset.crossing(course, found, level=0.95) is None


def test_every_stored_row_is_finite_and_names_what_it_measured():
    rows = newest_rows(data_file(retrieval.ROWS)).values()
    assert rows
    for row in rows:
        assert row["key"] == retrieval.row_key(row["run"], row["what"], row["block"])
        numbers = torch.tensor([value for value in row.values() if isinstance(value, float)])
        assert numbers.isfinite().all(), row["key"]


def test_retrieval_is_open_where_dropping_a_random_sender_breaks_the_copy_too() -> None:
    assert retrieval.reads_opposed([0.99, 1.0], [0.04], [1.0]) is True
    assert retrieval.reads_opposed([0.8, 1.0], [0.04], [1.0]) is False
    assert retrieval.reads_opposed([0.99], [0.3], [1.0]) is False
    assert (
        retrieval.reads_opposed([0.9], [0.24], [0.9]) is True and retrieval.reads_opposed([0.9], [0.25], [1.0]) is False
    )
    assert retrieval.reads_opposed([0.99], [], [1.0]) is None and retrieval.reads_opposed([], [0.04], [1.0]) is None
    assert retrieval.reads_opposed([0.99], [0.04], []) is None
    assert retrieval.reads_opposed([0.99], [0.04], [0.1]) is None and retrieval.reads_opposed([], [], []) is None
    nan = float("nan")
    for found, without, beside in (([nan], [0.1], [1.0]), ([1.0], [0.1, nan], [1.0]), ([1.0], [0.1], [1.0, nan])):
        for turned in (1, -1):  # wherever it stands
            assert retrieval.reads_opposed(found[::turned], without[::turned], beside[::turned]) is None
    for found in ([0.95, nan], [nan, 0.95]):
        assert retrieval.reads_opposed(found, [0.1], [0.95]) is None
        assert retrieval.follows_receivers(found, [0.05]) is None and retrieval.follows_receivers([0.8], found) is None


def test_the_loss_leaves_its_plateau_at_the_first_stop_clearly_below_guessing() -> None:
    guessing = retrieval_onset.plateau(16)
    assert guessing == pytest.approx(3.0665, abs=1e-3)
    course = [{"step": step, "loss": guessing - under} for step, under in ((2, -0.1), (4, 0.04), (6, 0.06), (8, 0.01))]
    assert retrieval_onset.leaves_plateau(course, 16) == 6
    assert retrieval_onset.leaves_plateau(course[:2], 16) is None


def test_stops_are_close_where_a_model_learns() -> None:
    config = retrieval_onset.course_config("causal_rn", 16, 0, 200)
    stops = retrieval_onset.stops_of(config)
    assert stops[:6] == [10, 20, 30, 40, 50, 52] and stops[-3:] == [180, 190, 200] and {118, 120, 130} < {*stops}
    assert retrieval_onset.stops_of(replace(config, steps=60)) == [10, 20, 30, 40, 50, 52, 54, 56, 58, 60]


@pytest.mark.parametrize(
    ("moved", "chance", "verdict"),
    [([0.8, 1.0], [0.04, 0.1], True), ([0.8, 0.74], [0.04], False), ([0.8], [0.11], None), ([], [0.04], None)],
)
def test_receivers_decide_where_every_model_follows_them_more_than_by_chance(moved, chance, verdict) -> None:
    assert retrieval.follows_receivers(moved, chance) is verdict


@pytest.mark.parametrize(
    ("left", "how"),
    [
        ((1.0, 0.04, 0.99, 0.99), "cancellation"),
        ((0.85, 0.85, 0.15, 0.84), "alignment"),
        ((0.9, 0.5, 0.5, 0.8), "neither"),
        ((0.9, 0.1, 0.1, 0.9), "neither"),
        ((0.83, 0.1, 0.74, 0.53), "spread out"),
    ],
)
def test_how_a_model_looks_up_is_told_by_what_it_cannot_do_without(left, how) -> None:
    assert retrieval.looks_up_by(*left) == how
