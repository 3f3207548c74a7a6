"""Windows of a text: which bytes, of which part, and what is scored."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.data import DataError, Split, sonnets, unigram_bits_per_byte
from crn_lib.data.sources import TEXTS
from crn_lib.tasks import TextConfig, TextTask
from tests.tasks.data_cases import check_splits_are_used, config_of, trained
from tests.tiny import run

TASK = TextTask(TextConfig(window=20))


def test_a_window_is_a_piece_of_the_training_part_and_what_follows_each_byte(generator) -> None:
    text = sonnets().train.tobytes()
    tokens, targets = TASK.sample(50, generator)
    assert tokens.shape == targets.shape == (50, 20)
    for window, follows in zip(tokens.tolist(), targets.tolist(), strict=True):
        assert bytes(window) in text and bytes([*window, follows[-1]]) in text and window[1:] == follows[:-1]


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 99))
@settings(max_examples=25)
def test_at_any_window_each_byte_asks_for_the_one_behind_it(window: int, batch: int, seed: int) -> None:
    task, text = TextTask(TextConfig(window=window)), sonnets()
    drawn = task.sample(batch, torch.Generator().manual_seed(seed))
    for part, (tokens, targets) in {"train": drawn, "test": task.held_out(batch, "test")}.items():
        assert tokens.shape == targets.shape == (batch, window) and tokens.dtype == targets.dtype == torch.long
        for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
            assert bytes([*row, wanted[-1]]) in getattr(text, part).tobytes(), "the last one stands behind the window"
            assert wanted[:-1] == row[1:], "every place is scored, on what no place before it shows"


def test_chance_is_what_always_naming_the_most_frequent_byte_gets() -> None:
    text = sonnets()
    most_frequent = int(np.bincount(text.train).argmax())
    targets = torch.from_numpy(text.test.astype(np.int64))[None]
    guesses = torch.full_like(targets, most_frequent)
    assert chr(most_frequent) == " " and TASK.metrics(guesses, targets)["accuracy"] == TextConfig().chance
    assert TextConfig(source="bytes", path="of anybody.txt").chance == 1 / 256


def test_every_byte_of_the_training_part_is_drawn_and_none_beyond(generator, monkeypatch) -> None:
    part = sonnets().train[:25]
    monkeypatch.setitem(TEXTS, "sonnets", TEXTS["sonnets"]._replace(load=lambda path: Split(part, part, part)))
    tokens, targets = TextTask(TextConfig(window=20)).sample(300, generator)
    starts = {bytes(window) for window in tokens.tolist()}
    assert starts == {part[i : i + 20].tobytes() for i in range(5)}
    assert {bytes(window) for window in targets.tolist()} == {part[i : i + 20].tobytes() for i in range(1, 6)}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_held_out_windows_are_fixed_of_their_part_apart_and_spread(split) -> None:
    part = getattr(sonnets(), split).tobytes()
    tokens, targets = TASK.held_out(10, split)
    again, _ = TASK.held_out(10, split)
    assert torch.equal(tokens, again) and tokens.shape == (10, 20)
    found = [part.index(bytes(window)) for window in tokens.tolist()]
    assert found == sorted(found) and all(start % 20 == 0 for start in found)
    assert found[0] == 0 and found[-1] > 0.9 * len(part)
    everything, _ = TASK.held_out(10**6, split)
    assert len(everything) == (len(part) - 1) // 20
    assert part.startswith(bytes(everything.flatten().tolist()))
    assert bytes(targets[0].tolist()) == part[1:21]


def test_scores_are_the_share_of_right_bytes_and_bits(generator) -> None:
    _, targets = TASK.sample(4, generator)
    predictions = targets.clone()
    predictions[:, ::2] += 1
    assert TASK.metrics(predictions, targets) == {"accuracy": 0.5}
    assert TASK.loss_metrics(torch.full((7,), math.log(8))) == {"bits_per_byte": pytest.approx(3)}


@pytest.mark.parametrize("kind", ["causal_rn", "linear_rn", "transformer"])
def test_a_run_is_watched_on_the_validation_part_and_the_test_part_comes_last(kind) -> None:
    result = trained(TASK.config, kind)
    assert set(result.teacher_forced) == {"accuracy", "bits_per_byte"}
    assert result.teacher_forced["bits_per_byte"] == pytest.approx(8, abs=0.5), "it knows next to nothing yet"
    check_splits_are_used(result, TASK)
    assert result.row()["task"] == {"name": "text", "source": "sonnets", "path": None, "window": 20}


@pytest.mark.slow
def test_a_model_learns_more_than_how_frequent_each_byte_is() -> None:
    config = config_of(
        TASK.config, "transformer", width=32, steps=200, batch=32, learning_rate=1e-2, evaluate_every=200
    )
    scores = run(config).teacher_forced
    split = sonnets()
    assert scores["bits_per_byte"] < unigram_bits_per_byte(split.test, split.train) - 0.5


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"source": "hamlet"}, f"source must be one of {', '.join(TEXTS)}; got 'hamlet'"),
        ({"path": "sonnets.txt"}, "path must not be given for 'sonnets', which the library has"),
        ({"path": 3}, "path must be text, or not given; got 3"),
        ({"window": 0}, "window must be a whole number >= 1; got 0"),
    ],
)
def test_what_cannot_be_is_one_line(fields, says) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(says)}$"):
        TextConfig(**fields)


def test_a_window_longer_than_a_part_is_one_line(generator) -> None:
    with pytest.raises(ConfigError, match=r"^window must be less than the 9,572 bytes of a part of sonnets; got 9572$"):
        TextConfig(window=9572)
    TextTask(TextConfig(window=9571)).sample(1, generator)
    assert min(map(len, sonnets())) == TEXTS["sonnets"].shortest == 9572


def test_a_text_too_short_for_a_window_is_a_fault_of_the_text(tmp_path, generator) -> None:
    (tmp_path / "poem.txt").write_bytes(sonnets().train[:100].tobytes())
    says = r"^the validation part of bytes has 10 bytes, too few for a window of 10 and the byte after it$"
    with pytest.raises(DataError, match=says):
        TextTask(TextConfig(source="bytes", path=str(tmp_path), window=10)).sample(1, generator)
    TextTask(TextConfig(source="bytes", path=str(tmp_path), window=9)).sample(1, generator)


@pytest.mark.parametrize(
    ("strings", "split", "says"),
    [
        (-1, "test", "strings must be a whole number >= 1; got -1"),
        (1, "tset", "split must be one of validation, test; got 'tset'"),
        (1, "train", "split must be one of validation, test; got 'train'"),
    ],
)
def test_what_is_not_held_out_is_one_line(strings, split, says) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(says)}$"):
        TASK.held_out(strings, split)
