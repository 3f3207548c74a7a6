"""A dictionary made by hand: who finds the letters, and who cannot."""

import pytest
import torch

from crn_lib.analysis import keyed_letters, pair_values
from crn_lib.ops.normalise import layer_norm


def read_letters(book, norm, distance=0.0):
    means = pair_values(book.questions(distance), book.senders, norm=norm).mean(1)
    return means[:, : len(book.letters)].argmax(1)


@pytest.mark.parametrize(("count", "width"), [(4, 32), (16, 64), (26, 64)])
def test_the_exact_norm_finds_every_letter_and_no_other_form_does(count, width, generator):
    book = keyed_letters(count, width, generator)
    assert torch.equal(read_letters(book, "exact"), book.letters)
    assert sorted(book.letters.tolist()) == list(range(count))
    for norm in ("approx", "none"):
        assert (read_letters(book, norm) == book.letters).double().mean() < 0.5


def test_what_is_left_of_a_pair_whose_keys_cancel_is_the_letter(generator):
    book = keyed_letters(5, 32, generator, loudness=0.05)
    left = book.questions() + book.senders
    assert torch.allclose(left.std(1, correction=0), torch.full((5,), 0.05, dtype=torch.float64))
    assert torch.equal(left.argmax(1), book.letters)
    assert torch.allclose(layer_norm(left).amax(1), torch.tensor(31.0, dtype=torch.float64).sqrt())


def test_a_question_lies_as_far_from_its_key_as_asked(generator):
    book = keyed_letters(5, 32, generator)
    assert torch.equal(book.questions(), book.keys)
    wrong_by = (book.questions(0.2) - book.keys).std(1, correction=0)
    assert torch.allclose(wrong_by, torch.full((5,), 0.2, dtype=torch.float64))


def test_with_questions_far_louder_wrong_than_the_letters_nothing_is_found(generator):
    book = keyed_letters(16, 64, generator, loudness=0.1)
    assert (read_letters(book, "exact", distance=1.0) == book.letters).double().mean() < 0.5


@pytest.mark.parametrize("count", [0, 33])
def test_letters_without_a_channel_are_refused(count, generator):
    with pytest.raises(ValueError, match=f"{count} letters need {count} channels; the width is 32"):
        keyed_letters(count, 32, generator)
