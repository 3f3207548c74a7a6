"""Bytes held while decoding: the formulas, and the stored rows."""

import pytest
import torch

from crn_lib.experiments import memory
from crn_lib.models import BLOCKS, KINDS, ModelConfig, build_model
from crn_lib.models.block import Block
from crn_lib.models.recurrent import LSTMBlock
from crn_lib.paths import data_file
from crn_lib.provenance import circumstances
from crn_lib.sweeps import read_rows

OTHER_SHAPES = [
    {"kind": "linear_transformer", "heads": 3},
    {"kind": "transformer", "heads": 3},
    {"kind": "linear_rn", "norm": "none"},
    {"kind": "causal_rn", "activation": "gelu"},
    {"kind": "causal_rn", "norm": "approx"},
    {"kind": "causal_rn", "norm": "none"},
    {"kind": "causal_rn", "expansion": 4},
    {"kind": "linear_rn", "expansion": 2, "norm": "none"},
    {"kind": "delta_net", "heads": 3},
    {"kind": "causal_rn", "first_window": 20, "short_conv": 3},
    {"kind": "transformer", "first_window": 4},
    {"kind": "lstm", "short_conv": 1},
]


def tensors_in(thing):
    """Every tensor that a state reaches, whatever it calls it."""
    if isinstance(thing, torch.Tensor):
        yield thing
    elif isinstance(thing, list | tuple):
        for part in thing:
            yield from tensors_in(part)
    elif hasattr(thing, "__dict__"):
        yield from tensors_in(list(vars(thing).values()))


@pytest.mark.parametrize("shape", [*({"kind": kind} for kind in BLOCKS), *OTHER_SHAPES], ids=str)
def test_the_formula_gives_the_bytes_that_decoding_holds(shape):
    config = ModelConfig(width=6, blocks=3, max_length=70, **shape)
    rows = list(memory.decode(config, range(1, 71)))
    assert [row["length"] for row in rows] == list(range(1, 71))
    for row in rows:
        assert row["used"] == row["predicted"], row["length"]
        assert row["allocated"] == row["predicted_allocated"] >= row["used"]


@pytest.mark.parametrize("kind", BLOCKS)
def test_the_bytes_counted_are_those_of_all_storages(kind):
    config = ModelConfig(kind=kind, width=6, blocks=2, max_length=40)
    model = build_model(config)
    state = model.init_state(1)
    for _ in range(37):
        _, state = model.step(torch.tensor([3]), state)
    storages = {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in tensors_in(state)}
    assert sum(storages.values()) == state.nbytes == memory.predicted_bytes(config, memory.capacity(37))


def test_a_block_that_does_not_say_its_bytes_is_refused_in_one_line(monkeypatch):
    unsaid = type("ElmanBlock", (LSTMBlock,), {"predicted_bytes": Block.predicted_bytes})
    monkeypatch.setitem(BLOCKS, "lstm", unsaid)
    config = ModelConfig(kind="lstm", width=6, blocks=2)
    for refused in (lambda: memory.predicted_bytes(config, 1), lambda: build_model(config)):
        with pytest.raises(TypeError, match=r"^Can't instantiate .* ElmanBlock .*predicted_bytes'?$"):
            refused()


def test_room_doubles_when_it_is_full():
    assert [memory.capacity(n) for n in (1, 16, 17, 32, 33, 1000)] == [16, 16, 32, 32, 64, 1024]


def test_the_marked_lengths_hold_every_doubling_and_end_at_the_longest():
    lengths = memory.marked_lengths(64)
    assert lengths == [1, 2, 3, 4, 6, 8, 12, 16, 17, 24, 32, 33, 48, 64]
    assert memory.marked_lengths(70)[-1] == 65


def test_rows_are_added_once_and_only_where_they_are_missing(tmp_path):
    path = tmp_path / "memory.jsonl"
    configs = [ModelConfig(kind=kind, width=4, blocks=1, max_length=9) for kind in ("causal_rn", "lstm")]
    first = memory.fill_rows(configs[:1], [1, 9], path)
    text = path.read_text()
    assert memory.fill_rows(configs[:1], [1, 9], path) == first and path.read_text() == text
    both = memory.fill_rows(configs, [9, 4], path)
    assert [(row["kind"], row["length"]) for row in both] == [
        ("causal_rn", 4),
        ("causal_rn", 9),
        ("lstm", 4),
        ("lstm", 9),
    ]
    assert path.read_text().startswith(text) and len(read_rows(path)) == 5
    assert len({row["key"] for row in read_rows(path)}) == 5
    shared = {"batch": 1, "seed": memory.SEED, **circumstances("cpu", "float32")}
    assert all(row | shared == row and row["model"]["kind"] == row["kind"] for row in both)


def test_the_stored_rows_are_complete_and_as_predicted():
    rows = read_rows(data_file("memory.jsonl"))
    wanted = {(kind, n) for kind in KINDS for n in memory.marked_lengths(memory.LONGEST)}
    assert {(row["kind"], row["length"]) for row in rows} == wanted and len(rows) == len(wanted)
    for row in rows:
        config = ModelConfig(**row["model"])
        assert config == memory.memory_config(row["kind"]) and row["key"] == memory.row_key(config, row["length"])
        assert row["used"] == row["predicted"] == memory.predicted_bytes(config, row["length"])
        assert row["allocated"] == memory.predicted_bytes(config, memory.capacity(row["length"]))


def test_a_sum_a_sender_is_judged_by_both_forms() -> None:
    assert memory.sum_a_sender([4, 8], [1, 1], [4, 8]) is True and memory.sum_a_sender([8], [], [8]) is True
    assert memory.sum_a_sender([4, 7], [1, 1], [4, 8]) is False and memory.sum_a_sender([4, 8], [1, 2], [4, 8]) is False
    assert memory.sum_a_sender([], [], [4]) is None and memory.sum_a_sender([], [], []) is None


def test_a_pool_grows_like_a_cache_if_by_one_row_and_the_cache_by_two() -> None:
    assert memory.grows_like_a_cache([64, 64], [128, 128]) is True
    assert (
        memory.grows_like_a_cache([64, 65], [128, 128]) is False and memory.grows_like_a_cache([0, 0], [0, 0]) is False
    )
    assert memory.grows_like_a_cache([64], [64]) is False and memory.grows_like_a_cache([], [128]) is None
