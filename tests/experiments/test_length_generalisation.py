"""Testing trained models at other lengths: a row a model and length, once, of the model that the run left."""

from pathlib import Path

import pytest
import torch

from crn_lib.errors import RunFailed
from crn_lib.experiments import length_generalisation
from crn_lib.models import build_model
from crn_lib.provenance import circumstances
from crn_lib.sweeps import load_sweep, read_rows, run_sweep
from crn_lib.tasks import CopyingConfig, CopyingTask, free_running, teacher_forced
from crn_lib.training import TrainConfig, load_model
from tests.sweeps.sweep_cases import sweep
from tests.tiny import quick


def config(seed: int = 0) -> TrainConfig:
    return quick(seed, task=CopyingConfig(string_length=3, shortest=2), max_length=12, steps=3)


def test_every_trained_model_is_tested_at_every_length_once(tmp_path: Path) -> None:
    state = run_sweep(sweep(tmp_path, config(0), config(1)), device="cpu", checkpoints=tmp_path / "runs")
    path = tmp_path / "tested.jsonl"
    state.rows[state.jobs[1].key]["error"] = "it had failed"
    rows = length_generalisation.fill_rows(state.jobs, state.rows, path, lengths=(2, 3, 5))
    model = load_model(state.jobs[0].folder / "checkpoint.safetensors")
    for row, length in zip(rows, (2, 3, 5), strict=True):
        assert row == {
            "key": length_generalisation.row_key(state.jobs[0], length),
            "trained": state.jobs[0].key,
            "kind": "lstm",
            "trained_up_to": 3,
            "tested_at": length,
            "strings": length_generalisation.STRINGS,
            "seed": 0,
            **circumstances("cpu", "float32"),
            **length_generalisation.measure(model, length, seed=0),
        }
    assert rows == read_rows(path) == length_generalisation.fill_rows(state.jobs, state.rows, path, lengths=(2, 3, 5))


def test_all_three_measures_are_on_strings_of_one_stream_that_the_length_and_the_seed_start() -> None:
    model, task = build_model(config().model), CopyingTask(CopyingConfig(string_length=5))
    generator, strings = torch.Generator().manual_seed(5002), length_generalisation.STRINGS
    forced = teacher_forced(model, task, strings, generator)
    free = {f"free_running_{name}": value for name, value in free_running(model, task, strings, generator).items()}
    letters = length_generalisation.letters_right(model, task, strings, generator)
    assert length_generalisation.measure(model, 5, seed=2) == {**forced, **free, "letters_right": letters}
    assert letters > 0, "an untrained model gets some letters right, of other strings another share"


def test_a_model_whose_checkpoint_is_gone_is_named_after_the_others_were_tested(tmp_path: Path) -> None:
    state = run_sweep(sweep(tmp_path, config(0), config(1), config(2)), device="cpu", checkpoints=tmp_path / "runs")
    gone, also_gone, here = state.jobs
    for job in (gone, also_gone):
        (job.folder / "checkpoint.safetensors").unlink()
    path = tmp_path / "tested.jsonl"
    with pytest.raises(RunFailed) as error:
        length_generalisation.fill_rows(state.jobs, state.rows, path, lengths=(2, 3))
    assert str(error.value) == (
        f"not tested, because their checkpoints are not on this machine: lstm (key {gone.key}), lstm (key "
        f"{also_gone.key}). Remove their rows from the sweep's file, and `crn sweep` trains them again."
    )
    assert [row["trained"] for row in read_rows(path)] == [here.key, here.key]


def test_letters_are_counted_one_by_one_whatever_the_model_says_of_the_end() -> None:
    task = CopyingTask(CopyingConfig(string_length=3))

    class Copier(torch.nn.Module):
        """Right in two letters of three, and never at the end."""

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            said = torch.zeros(*tokens.shape, task.config.vocab_size)
            for row, string in enumerate(tokens):
                for place, letter in enumerate(string[1:3]):
                    said[row, 4 + place, letter] = 1
            return said

    found = length_generalisation.letters_right(Copier(), task, 64, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    assert found == pytest.approx(2 / 3)


def test_the_sweep_trains_on_4_to_32_with_room_for_the_longest_test() -> None:
    configs = load_sweep("length_generalisation").configs
    assert {c.model.kind for c in configs} == {
        "causal_rn", "transformer", "linear_transformer", "ssm", "lstm", "linear_rn"
    }  # fmt: skip
    longest = CopyingConfig(string_length=max(length_generalisation.LENGTHS)).context
    assert all((c.task.shortest, c.task.string_length, c.model.max_length) == (4, 32, longest) for c in configs)
