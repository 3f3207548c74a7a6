"""Testing trained models at other lengths: a row a model and length, once, of the model that the run left."""

from pathlib import Path

import pytest
import torch
from sweep_cases import sweep

from crn_lib.errors import RunFailed
from crn_lib.experiments import length_generalisation
from crn_lib.models import ModelConfig
from crn_lib.sweeps import load_sweep, read_rows, run_sweep
from crn_lib.tasks import CopyingConfig, CopyingTask, teacher_forced
from crn_lib.training import TrainConfig, load_model


def config(seed: int = 0) -> TrainConfig:
    task = CopyingConfig(string_length=3, shortest=2)
    model = ModelConfig(kind="lstm", width=8, blocks=1, max_length=12)
    return TrainConfig(model=model, task=task, steps=3, batch=4, evaluation_strings=4, seed=seed)


def test_every_trained_model_is_tested_at_every_length_once(tmp_path: Path) -> None:
    state = run_sweep(sweep(tmp_path, config(0), config(1)), device="cpu", checkpoints=tmp_path / "runs")
    path = tmp_path / "tested.jsonl"
    state.rows[state.jobs[1].key]["error"] = "it had failed"
    rows = length_generalisation.fill_rows(state.jobs, state.rows, path, lengths=(2, 3, 5))
    assert [(row["tested_at"], row["trained_up_to"], row["kind"]) for row in rows] == [
        (length, 3, "lstm") for length in (2, 3, 5)
    ]
    assert rows == read_rows(path) == length_generalisation.fill_rows(state.jobs, state.rows, path, lengths=(2, 3, 5))

    model = load_model(state.jobs[0].folder / "checkpoint.safetensors")
    task = CopyingTask(CopyingConfig(string_length=5))
    fresh = teacher_forced(model, task, length_generalisation.STRINGS, torch.Generator().manual_seed(5000))
    assert rows[2]["character_accuracy"] == fresh["character_accuracy"]


def test_a_model_whose_checkpoint_is_gone_is_named_after_the_others_were_tested(tmp_path: Path) -> None:
    state = run_sweep(sweep(tmp_path, config(0), config(1)), device="cpu", checkpoints=tmp_path / "runs")
    gone, here = state.jobs
    (gone.folder / "checkpoint.safetensors").unlink()
    path = tmp_path / "tested.jsonl"
    with pytest.raises(RunFailed, match=f"lstm \\(key {gone.key}\\)"):
        length_generalisation.fill_rows(state.jobs, state.rows, path, lengths=(2, 3))
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
