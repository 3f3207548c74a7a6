"""Rows of runs: keys, reading, and a file that a crash cut off."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from crn_lib.config import from_mapping
from crn_lib.models import ModelConfig
from crn_lib.sweeps import append_row, config_key, newest_rows, read_rows
from crn_lib.sweeps.rows import plain_config, seedless
from crn_lib.tasks import CopyingConfig, RegressionConfig
from crn_lib.training import TrainConfig
from crn_lib.training.result import config_fields


def test_equal_configurations_share_a_key_and_any_other_field_changes_it() -> None:
    assert config_key(TrainConfig()) == config_key(TrainConfig(steps=300, model=ModelConfig(max_length=34)))
    others = [
        TrainConfig(steps=299),
        TrainConfig(seed=1),
        TrainConfig(stop_at=0.5),
        TrainConfig(model=ModelConfig(max_length=34, post_norm=False)),
        TrainConfig(model=ModelConfig(max_length=34, kind="linear_rn")),
    ]
    assert len({config_key(config) for config in [TrainConfig(), *others]}) == len(others) + 1
    whole, point = ({"clip": number(2), "stop_at": number(1)} for number in (int, float))
    assert TrainConfig(**whole) == TrainConfig(**point)
    assert config_key(TrainConfig(**whole)) == config_key(TrainConfig(**point))
    model = ModelConfig(max_length=22, vocab_size=1, input_width=2)
    noisy = [TrainConfig(task=RegressionConfig(noise=number(1), dims=2), model=model) for number in (int, float)]
    assert noisy[0] == noisy[1] and config_key(noisy[0]) == config_key(noisy[1])


def test_a_field_added_later_at_its_default_leaves_keys_as_they_are() -> None:
    @dataclasses.dataclass(frozen=True)
    class Later(TrainConfig):
        label_smoothing: float = 0.0

    assert config_key(Later()) == config_key(TrainConfig())
    assert config_key(Later(label_smoothing=0.1)) != config_key(TrainConfig())


def test_runs_that_differ_in_the_seed_alone_are_alike_also_where_one_row_is_older_than_a_field() -> None:
    old, new = (config_fields(TrainConfig(seed=seed)) for seed in (0, 1))
    for younger in ("expansion", "positions", "short_conv", "first_window"):
        del old["model"][younger]
    assert seedless(old) == seedless(new)
    new["model"]["expansion"] = 2
    assert seedless(old) != seedless(new)


def test_rows_come_back_in_order_and_the_last_of_a_key_counts(tmp_path: Path) -> None:
    path = tmp_path / "a" / "deep" / "rows.jsonl"
    for key, value in (("a", 1), ("b", 2), ("a", 3)):
        append_row(path, {"key": key, "value": value})
    assert [row["value"] for row in read_rows(path)] == [1, 2, 3]
    assert {key: row["value"] for key, row in newest_rows(path).items()} == {"a": 3, "b": 2}
    assert read_rows(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_line_cut_off_anywhere_is_no_row_and_the_next_row_replaces_it(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "rows.jsonl"
    append_row(path, {"key": "a"})
    path.write_bytes(path.read_bytes() + json.dumps({"key": "lost", "n": 1}).encode()[:cut])
    assert [row["key"] for row in read_rows(path)] == ["a"]
    append_row(path, {"key": "b"})
    assert [row["key"] for row in read_rows(path)] == ["a", "b"]
    assert path.read_text().endswith("\n")


def test_a_line_has_its_fields_in_one_order_whoever_wrote_it(tmp_path: Path) -> None:
    append_row(tmp_path / "rows.jsonl", {"key": "a", "b": {"d": 1, "c": 2}})
    assert (tmp_path / "rows.jsonl").read_text() == '{"b": {"c": 2, "d": 1}, "key": "a"}\n'


def test_a_last_row_that_lacks_only_its_line_break_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"key": "a"}')
    assert len(read_rows(path)) == 1
    append_row(path, {"key": "b"})
    assert [row["key"] for row in read_rows(path)] == ["a", "b"]


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"key": "a"}\n{"key":\n{"key": "b"}\n')
    wanted = f"{path}, line 2 is not a JSON row (Expecting value)"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        read_rows(path)


def test_a_row_holds_its_whole_configuration_and_what_it_shares_with_other_seeds() -> None:
    first = TrainConfig(seed=1, stop_at=0.9, model=ModelConfig(kind="lstm", max_length=40))
    row = config_fields(first)
    assert from_mapping(TrainConfig, plain_config(row)) == first and row["seed"] == 1
    same = dataclasses.replace(first, seed=2)
    others = [
        dataclasses.replace(first, batch=3),
        dataclasses.replace(first, model=ModelConfig(kind="ssm", max_length=40)),
        dataclasses.replace(first, task=CopyingConfig(string_length=5)),
    ]
    assert seedless(config_fields(same)) == seedless(row)
    assert seedless(dict(reversed(row.items()))) == seedless({**row, "model": dict(reversed(row["model"].items()))})
    assert len({seedless(config_fields(config)) for config in [first, *others]}) == 4
