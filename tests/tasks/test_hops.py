"""k-hop induction: every answer against one that walks the hops in plain Python."""

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.tasks import NOT_SCORED, HopsConfig, HopsTask

X = NOT_SCORED


def answer(letters: list[int], place: int, hops: int, none: int) -> int:
    """Hop by hop: the nearest earlier place with the same letter, and one on."""
    for _ in range(hops):
        earlier = [other for other in range(place) if letters[other] == letters[place]]
        if not earlier:
            return none
        place = earlier[-1] + 1
    return letters[place]


@given(st.integers(3, 14), st.integers(3, 5), st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))
def test_every_letter_is_answered_as_by_walking(length, letters, hops, fewest, seed):
    hops = min(hops, length - 2)
    config = HopsConfig(string_length=length, letters=letters, hops=hops, fewest=min(fewest, hops))
    tokens, targets = HopsTask(config).sample(8, torch.Generator().manual_seed(seed))
    for (asked, *string), (first, *wanted) in zip(tokens.tolist(), targets.tolist(), strict=True):
        assert config.fewest <= asked <= hops and first == X
        assert all(one != other for one, other in itertools.pairwise(string)), "no letter twice in a row"
        assert wanted == [answer(string, place, asked, config.none) for place in range(length)]
        assert set(string) <= set(range(hops + 1, hops + 1 + letters))


def test_a_string_worked_out_by_hand():
    # a b a c a b: a hop from the last a (place 4) leads to c (3), from b (5) to a (2), and from that a to b (1).
    one = HopsTask(HopsConfig(string_length=6, letters=3)).one_hop(torch.tensor([[0, 1, 0, 2, 0, 1]]))
    assert one.tolist() == [[6, 6, 1, 6, 3, 2, 6]]


def test_letters_and_numbers_of_hops_are_equally_likely(generator):
    config = HopsConfig(string_length=20, letters=4, hops=3, fewest=1)
    tokens, _ = HopsTask(config).sample(3_000, generator)
    hops, counts = tokens[:, 0].unique(return_counts=True)
    assert hops.tolist() == [1, 2, 3] and counts.min() > 900
    for place in (1, 2, 20):
        letters, counts = tokens[:, place].unique(return_counts=True)
        assert letters.tolist() == [4, 5, 6, 7] and counts.min() > 650


@pytest.mark.parametrize(("length", "letters"), [(3, 3), (7, 3), (6, 4)])
def test_chance_is_what_the_best_word_for_each_place_and_letter_gets_over_all_strings(length, letters):
    strings = [row for row in itertools.product(range(letters), repeat=length) if all(map(int.__sub__, row, row[1:]))]
    wanted = []
    for hops in range(length - 1):
        counts = Counter(
            (place, row[place], answer([*row], place, hops, letters)) for row in strings for place in range(length)
        )
        best = [
            max(counts[place, own, word] for word in range(letters + 1))
            for place in range(length)
            for own in range(letters)
        ]
        wanted.append(sum(best) / counts.total())
    config = HopsConfig(string_length=length, letters=letters, hops=length - 2)
    assert config.chances == pytest.approx(wanted) and config.chance == pytest.approx(sum(wanted) / len(wanted))
    last = HopsConfig(string_length=length, letters=letters, hops=length - 2, fewest=length - 2)
    assert last.chances == (pytest.approx(wanted[-1]),) and last.chance == pytest.approx(wanted[-1])


def test_no_rule_of_place_and_letter_is_better_than_chance(generator):
    """For each number of hops: repeating the letter, and the best words of other strings."""
    config = HopsConfig(string_length=32)
    task = HopsTask(config)
    (learnt, learnt_from), (tokens, targets) = task.sample(6_000, generator), task.sample(3_000, generator)
    place = torch.arange(config.context).expand_as(tokens)
    words = torch.zeros(config.hops + 1, config.context, config.vocab_size, config.vocab_size)
    index = (learnt[:, :1].expand_as(learnt), place[:1].expand_as(learnt), learnt, learnt_from.clamp(min=0))
    words.index_put_(index, torch.ones(learnt.shape), accumulate=True)
    rules = {
        "repeats": tokens,
        "learnt": words.argmax(dim=3)[tokens[:, :1].expand_as(tokens), place, tokens],
    }
    for name, answers in rules.items():
        for hops, chance in enumerate(config.chances):
            asked = (tokens[:, :1] == hops) & (place > 0)
            right = (answers == targets)[asked].double().mean().item()
            assert right < chance + 0.02, (name, hops)
            assert name != "learnt" or right > chance - 0.02, hops


def test_the_most_hops_that_a_string_has_room_for_are_reached(generator):
    config = HopsConfig(string_length=5, letters=3, hops=3, fewest=3)
    tokens, targets = HopsTask(config).sample(400, generator)
    reached = targets[:, -1] != config.none
    assert reached.any(), "a b a b a has three"
    assert all(row[1] == row[3] == row[5] and row[2] == row[4] for row in tokens[reached].tolist())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"letters": 2}, "letters must be a whole number >= 3; got 2"),
        ({"hops": -1}, "hops must be a whole number >= 0; got -1"),
        (
            {"string_length": 5, "hops": 4},
            "hops must be at most 3 in a string of 5 letters, each going back by a letter or more; got 4",
        ),
        ({"fewest": 5}, "fewest must be at most hops 4; got 5"),
    ],
)
def test_a_task_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        HopsConfig(**fields)
