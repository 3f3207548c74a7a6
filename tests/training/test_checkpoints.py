"""Checkpoints: whole or not at all, resumed bit for bit, refused in one line when they do not fit."""

import json
import threading
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from crn_lib import files
from crn_lib.models import BLOCKS, ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.training import CheckpointError, NotThisRun, RunResult, TrainConfig, load_model, loop
from crn_lib.training.checkpoints import FORMAT, Checkpoint
from tests.tiny import run, timeless, tiny, weights


def checkpoint_in(folder: Path) -> Path:
    return folder / loop.CHECKPOINT_NAME


def interrupted(config: TrainConfig, folder: Path, evaluations: int) -> RunResult:
    """A run that Ctrl-C ends after so many evaluations."""

    def stop(history):
        if len(history) == evaluations:
            raise KeyboardInterrupt

    return run(config, folder=folder, on_evaluation=stop)


def assert_same(one: RunResult, other: RunResult) -> None:
    assert timeless(one.history) == timeless(other.history)
    assert (one.teacher_forced, one.free_running) == (other.teacher_forced, other.free_running)
    assert all(torch.equal(tensor, weights(other)[name]) for name, tensor in weights(one).items())


# --- resuming ---


def test_a_checkpoint_of_more_steps_than_are_asked_for_is_refused(tmp_path):
    """Its row would say that the longer run was the shorter one."""
    run(tiny(), folder=tmp_path)
    with pytest.raises(NotThisRun, match=r" has made 30 steps, more than the 20 that are asked for; ask for as many"):
        run(tiny(steps=20), folder=tmp_path, resume=True)
    assert run(tiny(steps=40), folder=tmp_path, resume=True).steps == 40


def test_a_checkpoint_that_cannot_be_read_now_is_not_called_damaged(tmp_path, monkeypatch):
    run(tiny(), folder=tmp_path)

    def fail(error):
        def read_bytes(_):
            raise error

        monkeypatch.setattr(Path, "read_bytes", read_bytes)

    fail(OSError(24, "Too many open files"))
    with pytest.raises(CheckpointError, match=r" cannot be read \(Too many open files\)$") as error:
        load_model(checkpoint_in(tmp_path))
    assert not isinstance(error.value, NotThisRun)
    fail(MemoryError())
    with pytest.raises(MemoryError):
        load_model(checkpoint_in(tmp_path))


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path, precision):
    config = tiny(precision=precision, schedule="cosine", weight_decay=0.1)
    assert interrupted(config, tmp_path, evaluations=1).steps == 10
    resumed = run(config, folder=tmp_path, resume=True)
    assert resumed.steps == 30 and resumed.stopped == "steps"
    assert_same(resumed, run(config))


def test_the_loss_scale_of_float16_is_resumed_too(tmp_path):
    """It doubles after 2,000 steps without an overflow; the count of those steps goes on."""
    interrupted(tiny(precision="float16"), tmp_path, evaluations=1)
    run(tiny(precision="float16"), folder=tmp_path, resume=True)
    assert Checkpoint.load(checkpoint_in(tmp_path)).header["scaler"]["_growth_tracker"] == 30


@pytest.mark.parametrize("kind", [kind for kind in BLOCKS if kind != "causal_rn"])
def test_every_kind_resumes_bit_for_bit(tmp_path, kind):
    interrupted(tiny(kind), tmp_path, evaluations=2)
    assert_same(run(tiny(kind), folder=tmp_path, resume=True), run(tiny(kind)))


def test_random_places_resume_bit_for_bit(tmp_path):
    config = tiny(positions="random", max_length=20)
    interrupted(config, tmp_path, evaluations=2)
    assert_same(run(config, folder=tmp_path, resume=True), run(config))


def test_a_run_resumes_between_two_evaluations(tmp_path, monkeypatch):
    """The losses since the last evaluation are kept too: the next row is their mean."""
    config = tiny(checkpoint_every=7, evaluate_every=10)
    step, calls = loop._Run._train_step, []

    def crash(self):
        calls.append(1)
        if len(calls) == 19:
            raise RuntimeError("the machine went down")
        return step(self)

    monkeypatch.setattr(loop._Run, "_train_step", crash)
    with pytest.raises(RuntimeError, match="went down"):
        run(config, folder=tmp_path)
    monkeypatch.undo()
    assert Checkpoint.load(checkpoint_in(tmp_path)).header["step"] == 14
    assert_same(run(config, folder=tmp_path, resume=True), run(config))


def test_resuming_twice_counts_the_seconds_of_all_parts(tmp_path):
    first = interrupted(tiny(), tmp_path, evaluations=1)
    second = interrupted(tiny(), tmp_path, evaluations=2)  # from the start again: resume was not asked for
    assert second.steps == 20
    third = run(tiny(), folder=tmp_path, resume=True)
    assert [row["step"] for row in third.history] == [10, 20, 30]
    seconds = [row["seconds"] for row in third.history]
    assert seconds[:2] == [row["seconds"] for row in second.history] != [row["seconds"] for row in first.history]
    assert third.seconds >= seconds[2] > seconds[1]


def test_a_run_that_was_interrupted_before_its_first_step_goes_on_from_there(tmp_path, monkeypatch):
    """Adam holds nothing yet."""

    def press_ctrl_c(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop._Run, "_train_step", press_ctrl_c)
    assert run(tiny(), folder=tmp_path).steps == 0
    monkeypatch.undo()
    assert_same(run(tiny(), folder=tmp_path, resume=True), run(tiny()))


def test_resuming_with_nothing_to_resume_starts_from_the_beginning(tmp_path):
    assert_same(run(tiny(), folder=tmp_path / "new", resume=True), run(tiny()))
    assert run(tiny(steps=1), resume=True).steps == 1, "without a folder there is nothing either"


def test_resuming_a_finished_run_repeats_its_result(tmp_path):
    finished = run(tiny(), folder=tmp_path)
    before = checkpoint_in(tmp_path).read_bytes()
    assert_same(run(tiny(), folder=tmp_path, resume=True), finished)
    assert checkpoint_in(tmp_path).read_bytes() == before


def test_resuming_a_run_that_reached_its_target_trains_no_further(tmp_path):
    config = tiny(steps=400, batch=32, evaluation_strings=100, stop_at=0.9)
    reached = run(config, folder=tmp_path)
    again = run(config, folder=tmp_path, resume=True)
    assert again.stopped == "target" and again.steps == reached.steps < 400
    assert_same(again, reached)


def test_a_constant_run_may_be_made_longer_and_a_cosine_may_not(tmp_path):
    run(tiny(steps=20), folder=tmp_path / "constant")
    longer = run(tiny(steps=30), folder=tmp_path / "constant", resume=True)
    assert_same(longer, run(tiny(steps=30)))
    run(tiny(steps=20, schedule="cosine"), folder=tmp_path / "cosine")
    with pytest.raises(CheckpointError, match="belongs to another run: steps differ"):
        run(tiny(steps=30, schedule="cosine"), folder=tmp_path / "cosine", resume=True)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"learning_rate": 5e-3}, "learning_rate"),
        ({"seed": 1}, "seed"),
        ({"model": ModelConfig(vocab_size=8, width=8, max_length=10)}, "model"),
        ({"task": CopyingConfig(string_length=3, vocab=5), "max_length": 10, "batch": 9}, "task, batch"),
    ],
)
def test_the_checkpoint_of_another_configuration_is_refused(tmp_path, change, named):
    run(tiny(steps=10), folder=tmp_path)
    with pytest.raises(CheckpointError) as error:
        run(tiny(steps=10, **change), folder=tmp_path, resume=True)
    assert f"{checkpoint_in(tmp_path)} belongs to another run: {named} differ" in str(error.value)
    assert "\n" not in str(error.value)


# --- files ---


def test_a_checkpoint_gives_its_model_back(tmp_path):
    result = run(tiny("lstm"), folder=tmp_path)
    model = load_model(checkpoint_in(tmp_path))
    assert model.config == result.config.model
    prompt = torch.tensor([[0, 3, 4, 1]])
    assert torch.equal(model(prompt), result.model(prompt))
    assert torch.equal(model.generate(prompt, 3), result.model.generate(prompt, 3))


def test_a_checkpoint_is_plain_safetensors_with_a_json_header(tmp_path):
    run(tiny(), folder=tmp_path)
    with safe_open(checkpoint_in(tmp_path), framework="pt") as file:
        assert file.metadata()["format"] == FORMAT
        header = json.loads(file.metadata()["header"])
    assert header["step"] == 30 and header["config"]["model"]["kind"] == "causal_rn"
    assert [file.name for file in tmp_path.iterdir()] == [loop.CHECKPOINT_NAME], "a temporary file was left behind"


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(tiny())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["empty", "garbage", "truncated", "header cut", "pickle"])
def test_a_damaged_file_is_one_line_that_names_it(tmp_path, damage):
    run(tiny(steps=10), folder=tmp_path)
    path = checkpoint_in(tmp_path)
    whole = path.read_bytes()
    if damage == "pickle":
        torch.save({"model": torch.zeros(3)}, path)
    else:
        path.write_bytes(
            {"empty": b"", "garbage": b"x" * 999, "truncated": whole[:-9], "header cut": whole[:40]}[damage]
        )
    for read in (load_model, lambda _: run(tiny(steps=10), folder=tmp_path, resume=True)):
        with pytest.raises(CheckpointError) as error:
            read(path)
        message = str(error.value)
        assert message.startswith(f"{path} is damaged or not a safetensors file (") and "\n" not in message


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"format": "crn_lib checkpoint 0"}])
def test_safetensors_that_something_else_wrote_are_refused(tmp_path, metadata):
    path = checkpoint_in(tmp_path)
    save_file({"weight": torch.zeros(3)}, path, metadata)
    with pytest.raises(CheckpointError) as error:
        load_model(path)
    assert str(error.value) == f"{path} is not a checkpoint of this library (its format is not {FORMAT!r})"


def rewrite(path: Path, **changes) -> None:
    """Store the checkpoint again with other tensors or another model configuration."""
    checkpoint = Checkpoint.load(path)
    checkpoint.tensors |= changes.pop("tensors", {})
    for name in changes.pop("without", ()):
        del checkpoint.tensors[name]
    checkpoint.header["config"]["model"] |= changes
    checkpoint.save(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 8}, "does not fit the model: .* is .*16.*, the model needs .*8"),
        ({"blocks": 3}, r"blocks\.2\..* is nothing, the model needs \(16"),
        ({"blocks": 1}, r"blocks\.1\..* is \(16.*, the model needs nothing"),
        ({"without": ["model.head.weight"]}, r"head\.weight is nothing, the model needs \(8, 16\)"),
        (
            {"tensors": {"model.head.weight": torch.zeros(9, 16)}},
            r"head\.weight is \(9, 16\), the model needs \(8, 16\)",
        ),
        ({"kind": "gru"}, r"^/\S* holds no valid model configuration \(kind must be one of .*\)$"),
        ({"colour": "red"}, r"^/\S* holds no valid model configuration \(ModelConfig has no field 'colour'.*\)$"),
    ],
)
def test_tensors_that_do_not_fit_their_configuration_are_named(tmp_path, changes, message):
    run(tiny(steps=10), folder=tmp_path)
    path = checkpoint_in(tmp_path)
    rewrite(path, **changes)
    with pytest.raises(CheckpointError, match=message) as error:
        load_model(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_run_cannot_go_on_from_tensors_that_do_not_fit_and_names_their_file(tmp_path):
    run(tiny(steps=10), folder=tmp_path)
    rewrite(checkpoint_in(tmp_path), without=["model.head.weight"])
    with pytest.raises(CheckpointError) as error:
        run(tiny(steps=10), folder=tmp_path, resume=True)
    assert str(error.value).startswith(f"{checkpoint_in(tmp_path)} does not fit the model: head.weight is nothing")


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"^there is no checkpoint .*nothing\.safetensors$"):
        load_model(tmp_path / "nothing.safetensors")


def test_a_folder_that_cannot_be_written_is_known_before_the_first_step(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(loop._Run, "_train_step", lambda _: pytest.fail("a step was computed first"))
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CheckpointError) as error:
            run(tiny(), folder=folder)
        assert str(error.value).startswith(f"{folder} is no folder that can be written (")


# --- whole or not at all ---


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "kept.txt"
    files.replace_text(path, "old")

    def fail_half_way(temporary: Path) -> None:
        temporary.write_text("ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        files.replace_file(path, fail_half_way)
    assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["kept.txt"]


def test_a_checkpoint_that_cannot_be_renamed_leaves_the_old_one(tmp_path, monkeypatch):
    run(tiny(steps=10), folder=tmp_path)
    before = checkpoint_in(tmp_path).read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.warns(UserWarning, match="No space left"):
        run(tiny(steps=20), folder=tmp_path)
    assert checkpoint_in(tmp_path).read_bytes() == before and [file.name for file in tmp_path.iterdir()] == [
        loop.CHECKPOINT_NAME
    ]


def test_a_reader_never_sees_half_a_file(tmp_path):
    path, seen, done = tmp_path / "text.txt", set(), threading.Event()
    files.replace_text(path, "0" * 50_000)

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for digit in "123456789" * 5:
        files.replace_text(path, digit * 50_000)
    done.set()
    reader.join()
    assert seen <= {digit * 50_000 for digit in "0123456789"}


def test_folders_on_the_way_are_made_and_others_may_read_the_file(tmp_path):
    path = tmp_path / "a" / "b" / "text.txt"
    files.replace_text(path, "ä")
    assert path.read_text(encoding="utf-8") == "ä" and path.stat().st_mode & 0o777 == 0o644
