"""Receivers moved from row to row: on the copier made by hand, whose receivers know nothing but their place."""

import pytest
import torch

from crn_lib.analysis import cancellation_copier, capture_pairs, letters_moved, moved_rows, receivers_of, run_retargeted
from crn_lib.analysis.retarget import receivers_replaced
from crn_lib.models import ModelConfig, build_model
from crn_lib.tasks import CopyingConfig, CopyingTask

LENGTH = 8
TASK = CopyingTask(CopyingConfig(string_length=LENGTH))


@pytest.fixture
def strings(generator):
    return TASK.sample(16, generator)[0]


def small_model(generator, **fields):
    shape = {"kind": "causal_rn", "width": 16, "blocks": 2, "max_length": TASK.config.context, **fields}
    return build_model(ModelConfig(**shape), generator=generator)


def test_rows_and_where_they_look():
    one = moved_rows(4, 1)
    assert one.rows.tolist() == [5, 6, 7] and one.donors.tolist() == [6, 7, 8]
    assert one.sources.tolist() == [1, 2, 3] and one.targets.tolist() == [2, 3, 4]
    back = moved_rows(4, -3)
    assert back.rows.tolist() == [8] and back.donors.tolist() == [5] and back.targets.tolist() == [1]
    with pytest.raises(ValueError, match="less than the string's 4 letters; got -4"):
        moved_rows(4, -4)


@pytest.mark.parametrize("shift", [-3, -1, 1, 5])
def test_a_copier_that_looks_up_by_its_receiver_writes_the_letter_so_much_further(strings, generator, shift):
    model = cancellation_copier(TASK.config)
    others = TASK.sample(16, generator)[0]
    own = strings[:, moved_rows(LENGTH, shift).sources]
    further = strings[:, moved_rows(LENGTH, shift).targets]
    for donor in (strings, others, others[:1]):
        found = letters_moved(model, strings, donor, shift, (0,))
        assert found["moved"] == 1 and found["stayed"] == found["chance"] == (own == further).double().mean()
    still = letters_moved(model, strings, others, shift, ())
    assert still["stayed"] == 1 and still["moved"] == still["chance"] < 0.2


def test_nothing_moves_but_the_rows_and_what_comes_of_them(strings, generator):
    model = small_model(generator)
    plain = model(strings)
    assert torch.equal(run_retargeted(model, strings, strings, 0, (0, 1))[0], plain)
    logits, moved = run_retargeted(model, strings, strings, 2, (0, 1))
    changed = (logits != plain).any(-1).any(0)
    assert changed[moved.rows].all()
    assert not changed[: moved.rows[0]].any()
    assert torch.equal(model(strings), plain), "the hooks are gone"


def test_the_rows_hold_the_donors_receivers_in_the_chosen_block_only(strings, generator):
    model = small_model(generator)
    others = TASK.sample(16, generator)[0]
    moved, found = moved_rows(LENGTH, 1), receivers_of(model, others)
    with receivers_replaced(model, {1: found[1][:, moved.donors]}, moved.rows):
        first, second = capture_pairs(model, strings, moved.rows)
    assert torch.equal(first.receivers, capture_pairs(model, strings, moved.rows)[0].receivers)
    assert torch.equal(second.receivers, capture_pairs(model, others, moved.donors)[1].receivers)


def test_rows_that_are_not_there_yet_are_left_out_and_attention_has_no_receivers(strings, generator):
    model = small_model(generator)
    moved, found = moved_rows(LENGTH, 1), receivers_of(model, strings)
    short = strings[:, : LENGTH + 3]
    with receivers_replaced(model, {0: found[0][:, moved.donors]}, moved.rows):
        assert (model(short) != run_retargeted(model, strings, strings, 1, ())[0][:, : LENGTH + 3]).any()
    with pytest.raises(ValueError, match="a transformer has no receivers to move"):
        receivers_of(small_model(generator, kind="transformer"), strings)
