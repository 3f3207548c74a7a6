"""Testing trained models at other lengths: a row a model and length, once, of the model that the run left."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from crn_lib.errors import RunFailed
from crn_lib.experiments import length_generalisation
from crn_lib.models import build_model
from crn_lib.provenance import circumstances
from crn_lib.sweeps import load_sweep, read_rows, run_sweep, sweep_state
from crn_lib.tasks import CopyingConfig, CopyingTask, free_running, teacher_forced
from crn_lib.tasks.copying import BOS, EOS
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
            "positions": "learned",
            "first_window": None,
            "trained_up_to": 3,
            "tested_at": length,
            "strings": length_generalisation.STRINGS,
            "seed": 0,
            "learning_rate": config(0).learning_rate,
            **circumstances("cpu", "float32"),
            **length_generalisation.measure(model, length, seed=0),
        }
    longer = (2, 3, 5, 6)  # of which the last takes 14 places, and there are 12
    assert rows == read_rows(path) == length_generalisation.fill_rows(state.jobs, state.rows, path, lengths=longer)


def test_all_three_measures_are_on_strings_of_one_stream_that_the_length_and_the_seed_start() -> None:
    model, task = build_model(config().model), CopyingTask(CopyingConfig(string_length=5))
    generator, strings = torch.Generator().manual_seed(5002), length_generalisation.STRINGS
    forced = teacher_forced(model, task, strings, generator)
    free = {f"free_running_{name}": value for name, value in free_running(model, task, strings, generator).items()}
    letters = length_generalisation.letters_and_ends(model, task, strings, generator)
    assert length_generalisation.measure(model, 5, seed=2) == {**forced, **free, **letters}
    assert letters["letters_right"] > 0, "an untrained model gets some letters right, of other strings another share"


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


class Copier(torch.nn.Module):
    """Right in the first two letters of three, and at the end only where tokens stand in drawn places."""

    def __init__(self, drawn: torch.Tensor | None) -> None:
        super().__init__()
        self.drawn = drawn

    def draw_positions(self, batch: int, length: int, _: torch.Generator) -> torch.Tensor | None:
        assert (batch, length) == (64, 8)
        return self.drawn

    def forward(self, tokens: torch.Tensor, positions: torch.Tensor | None) -> torch.Tensor:
        said = torch.nn.functional.one_hot(torch.full_like(tokens, BOS), 29)
        said[:, 4:6] = torch.nn.functional.one_hot(tokens[:, 1:3], 29)
        if positions is not None:
            assert positions is self.drawn
            said[:, -1] = torch.nn.functional.one_hot(torch.tensor(EOS), 29)
        return said


@pytest.mark.parametrize("drawn", [None, torch.tensor([0])])
def test_letters_are_counted_place_by_place_and_the_end_apart(drawn: torch.Tensor | None) -> None:
    task, generator = CopyingTask(CopyingConfig(string_length=3)), torch.Generator().manual_seed(0)
    found = length_generalisation.letters_and_ends(Copier(drawn), task, 64, generator)  # type: ignore[arg-type]
    letters = {"letters_right": pytest.approx(2 / 3), "letters_by_place": [1, 1, 0]}
    wanted = {**letters, "ends_right": 0}
    if drawn is not None:
        wanted |= {f"drawn_{name}": value for name, value in letters.items()} | {"drawn_ends_right": 1}
    assert found == wanted


def at_rate(rate: float, trained: float, longer: float, seed: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Rows of one model, tested at the longest strings of its training and at longer ones."""
    same = {"kind": "causal_rn", "positions": "none", "first_window": None, "trained_up_to": 32, "learning_rate": rate}
    found = ({"tested_at": n, "letters_right": value} for n, value in ((32, trained), (64, longer)))
    return [same | {"seed": seed} | more | each for each in found]


def test_the_rate_is_chosen_by_trained_lengths_alone_and_for_each_scheme() -> None:
    best, worse = at_rate(1e-3, 0.99, 0.1), at_rate(4e-3, 0.9, 0.8)
    other = at_rate(4e-3, 0.7, 0.7, first_window=4)
    assert length_generalisation.at_best_rate([*worse, *best, *other]) == [*best, *other]
    seeds = [row for n, value in enumerate((0.97, 0.985, 1.0)) for row in at_rate(4e-3, value, 0.5, seed=n)]
    assert length_generalisation.at_best_rate([*best, *seeds]) == seeds, "alike, and three seeds"
    lucky = at_rate(1e-3, 0.999, 0.1)
    assert length_generalisation.at_best_rate([*lucky, *seeds]) == lucky, "0.014 ahead"
    assert length_generalisation.at_best_rate([*at_rate(1e-3, math.nan, 0.9), *worse]) == worse
    smaller, larger = at_rate(1e-3, 0.9, 0.1), at_rate(2e-3, 0.9, 0.8)
    for stored in ([*smaller, *larger], [*larger, *smaller]):
        assert length_generalisation.at_best_rate(stored) == smaller, "whatever the order of the rows"
    assert length_generalisation.at_best_rate([]) == []


def test_random_positions_choose_their_rate_as_they_were_trained() -> None:
    low, high = at_rate(1e-3, 0.9, 0.1), at_rate(2e-3, 0.2, 0.1)
    high = [row | {"drawn_letters_right": 0.95} for row in high]
    assert length_generalisation.at_best_rate([*low, *high]) == high


def test_the_sweep_of_unseen_lengths_has_four_ways_to_tell_places_apart_and_room_for_all_tests(tmp_path: Path) -> None:
    chosen = load_sweep("unseen_lengths")
    ways = {(c.model.kind, c.model.positions, c.model.first_window) for c in chosen.configs}
    schemes = [("learned", None), ("none", None), ("random", None), ("none", 4)]
    assert ways == {(kind, *scheme) for kind in ("causal_rn", "transformer") for scheme in schemes}
    assert {(c.task.shortest, c.task.string_length, c.steps, c.stop_at) for c in chosen.configs} == {
        (4, 32, 3000, None)
    }
    for job in sweep_state(chosen, checkpoints=tmp_path).jobs:
        assert tuple(length_generalisation.lengths_for(job)) == length_generalisation.LENGTHS


def test_the_sweep_trains_on_4_to_32_with_room_for_twice_that() -> None:
    configs = load_sweep("length_generalisation").configs
    assert {c.model.kind for c in configs} == {
        "causal_rn", "transformer", "linear_transformer", "ssm", "lstm", "linear_rn"
    }  # fmt: skip
    longest = CopyingConfig(string_length=64).context
    assert all((c.task.shortest, c.task.string_length, c.model.max_length) == (4, 32, longest) for c in configs)
