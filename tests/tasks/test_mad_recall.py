"""In-context and noisy recall of MAD: drawn as often as the published definition says, and noise that tells nothing."""

import hashlib
import itertools
import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.tasks import MAD_NOISY_RECALL, MAD_RECALL, NOT_SCORED, FuzzyRecallConfig, FuzzyRecallTask

X = NOT_SCORED
SINGLE = {"key_length": 1, "value_length": 1}


@pytest.mark.parametrize(
    ("fields", "digest"),
    [
        ({}, "f8f6bab5dc45d5ea"),
        ({"vocab": 8, "length": 15, "key_length": 2, "value_length": 2}, "a959d7f834907e26"),
        ({"vocab": 17, **SINGLE}, "48074452a705ed29"),
        ({"shortest_key": 3, "length": 40}, "86f0ff6d33827580"),
        ({"vocab": 128, "length": 64}, "2432bb983ce1395c"),
    ],
)
def test_without_noise_all_is_drawn_as_before_there_was_any(fields, digest):
    """Two batches and the number that the generator gives next, by the code of commit c31e357."""
    generator, found = torch.Generator().manual_seed(7), hashlib.sha256()
    for _ in range(2):
        for drawn in FuzzyRecallTask(FuzzyRecallConfig(**fields)).sample(9, generator):
            found.update(drawn.contiguous().numpy().astype("<i8").tobytes())
    found.update(torch.rand(1, generator=generator).numpy().tobytes())
    assert found.hexdigest()[:16] == digest


def published(pairs: int, keys: int, values: int, noise: float, noise_vocab: int) -> dict[tuple[int, ...], float]:
    """How likely MAD's definition makes each sequence, its last value among them: of the pairs before the last one is
    kept, and each other is noise at that rate; then any key that was there comes again. (MAD chooses the kept one among
    all pairs, the last with them: of 64, that leaves one sequence in 64 without.)
    """
    found: Counter[tuple[int, ...]] = Counter()
    noises = range(keys + values, keys + values + noise_vocab)
    for kept, *which in itertools.product(range(pairs - 1), *[(False, True)] * (pairs - 1)):
        if which[kept]:
            continue
        share = math.prod(noise if each else 1 - noise for i, each in enumerate(which) if i != kept) / (pairs - 1)
        slots = [itertools.product(noises, noises) if each else [(key,) for key in range(keys)] for each in which]
        choices = [list(slot) for slot in slots]
        for chosen in itertools.product(*choices):
            asked = sorted({pair[0] for pair in chosen if len(pair) == 1})
            for answers in itertools.product(range(keys, keys + values), repeat=len(asked)):
                table = dict(zip(asked, answers, strict=True))
                laid = [token for pair in chosen for token in (pair if len(pair) == 2 else (*pair, table[pair[0]]))]
                for last in asked:
                    likely = share / math.prod(map(len, choices)) / values ** len(asked) / len(asked)
                    found[(*laid, last, table[last])] += likely
    return found


@pytest.mark.parametrize(("noise", "noise_vocab"), [(0.0, 0), (0.4, 2)])
def test_sequences_come_as_often_as_the_published_definition_says(noise, noise_vocab, generator):
    expected = published(pairs=3, keys=2, values=2, noise=noise, noise_vocab=noise_vocab)
    assert sum(expected.values()) == pytest.approx(1)
    config = FuzzyRecallConfig(vocab=5 + noise_vocab, length=5, noise=noise, noise_vocab=noise_vocab, **SINGLE)
    tokens, targets = FuzzyRecallTask(config).sample(20_000, generator)
    drawn = Counter((*row, wanted[-1]) for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True))
    assert set(drawn) == set(expected)
    deviations = [(drawn[one] - 20_000 * p) / math.sqrt(20_000 * p * (1 - p)) for one, p in expected.items()]
    assert max(map(abs, deviations)) < 4.5


def test_a_key_that_stood_twice_comes_back_twice_as_often(generator):
    """Where MAD has each key equally often."""
    tokens, _ = FuzzyRecallTask(FuzzyRecallConfig(vocab=5, length=7, **SINGLE)).sample(20_000, generator)
    keys, last = tokens[:, 0:6:2].sum(dim=1), tokens[:, 6]
    for ones in (1, 2):
        assert last[keys == ones].double().mean() == pytest.approx(ones / 3, abs=0.015)


@pytest.mark.parametrize("config", [*MAD_RECALL, *MAD_NOISY_RECALL], ids=repr)
def test_published_sizes_have_half_the_ids_as_keys_and_no_padding(config, generator):
    """MAD's V is `vocab - 1`, its T is `length + 1`."""
    ours = config.vocab - 1 - config.noise_vocab
    assert (config.keys, config.values) == (ours // 2, ours // 2)
    tokens, targets = FuzzyRecallTask(config).sample(20, generator)
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        whole = [*row, wanted[-1]]
        assert len(whole) == config.length + 1 and config.vocab - 1 not in whole
        known: dict[int, int] = {}
        asked = []
        for key, value in zip(whole[0::2], whole[1::2], strict=True):
            if key >= ours:
                assert config.noise and value >= ours
                asked += [X, X]
            else:
                assert key < config.keys <= value < ours
                asked += [X, value if key in known else X]
                assert known.setdefault(key, value) == value
        assert asked == [X, *wanted] and asked[-1] != X, "every repeated key, and the last is one"


@st.composite
def noisy(draw):
    key, value, noise_vocab = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return FuzzyRecallConfig(
        vocab=2 * max(key, value) + 1 + noise_vocab + draw(st.integers(0, 5)),
        length=2 * (key + value) - 1 + draw(st.integers(0, 20)),
        key_length=key,
        value_length=value,
        shortest_key=draw(st.integers(1, key)),
        noise=draw(st.sampled_from([0.2, 0.5, 0.99])),
        noise_vocab=noise_vocab,
    )


@given(noisy(), st.integers(0, 99))
def test_noise_stands_between_pairs_and_asks_nothing(config, seed):
    noises = range(config.keys + config.values, config.vocab - 1)
    tokens, targets = FuzzyRecallTask(config).sample(6, torch.Generator().manual_seed(seed))
    for row, wanted in zip(tokens.tolist(), targets.tolist(), strict=True):
        whole = list(itertools.dropwhile(lambda token: token == config.vocab - 1, [*row, wanted[-1]]))
        assert config.vocab - 1 not in whole, "padding stands on the left only"
        runs = [(what, tuple(run)) for what, run in itertools.groupby(whole, lambda t: (t in noises, t < config.keys))]
        expected: list[int] = []
        known: dict[tuple[int, ...], tuple[int, ...]] = {}
        before: tuple[int, ...] | None = None
        for (is_noise, is_key), run in runs:
            if before is not None:
                assert not is_noise and not is_key, "behind a key stands its value"
                expected += run if before in known else [X] * len(run)
                assert known.setdefault(before, run) == run
                before = None
            else:
                assert is_noise or is_key
                expected += [X] * len(run)
                before = run if is_key else None
        assert wanted[-1] == expected[-1] != X, "the last pair was there before"
        assert wanted == ([X] * len(row) + expected)[-len(row) :]


def test_so_many_pairs_are_noise_wherever_they_stand(generator):
    config = MAD_NOISY_RECALL[0]
    tokens, _ = FuzzyRecallTask(config).sample(4_000, generator)
    noise = tokens[:, :-1] >= 16
    assert torch.equal(noise[:, 0::2], noise[:, 1::2]) and bool((tokens[:, -1] < 8).all())
    share = noise[:, 0::2].double().mean(dim=0)  # one of 63 pairs never is
    assert share.mean().item() == pytest.approx(0.2 * 62 / 63, abs=0.004)
    assert share.sub(0.2).abs().max() < 0.04
    drawn = tokens[:, :-1][noise].bincount()[16:].double()
    assert len(drawn) == 16 and (drawn / drawn.sum()).sub(1 / 16).abs().max() < 0.005


def test_the_length_of_noise_does_not_tell_that_of_a_value(generator):
    """One key only, so that every pair would have its value's length."""
    config = FuzzyRecallConfig(vocab=5, length=20, key_length=1, value_length=2, noise=0.5, noise_vocab=1)
    assert (config.keys, config.values) == (1, 2)
    found: dict[int, Counter[int]] = {1: Counter(), 2: Counter()}
    for row in FuzzyRecallTask(config).sample(4_000, generator)[0].tolist():
        runs = [(what, len(list(run))) for what, run in itertools.groupby(row, lambda t: min(1, t) + t // 3)]
        value = next(size for what, size in runs if what == 1)
        found[value].update(size for what, size in runs[1:] if what == 2)
    one, two = ({size: n / counts.total() for size, n in counts.items()} for counts in found.values())
    assert min(one) == min(two) == 2
    assert all(one[size] == pytest.approx(two[size], abs=0.06) for size in (2, 3, 4, 5)), "most runs are so long"


def test_chance_is_what_the_most_frequent_value_gets_and_noise_is_no_value(generator):
    config = FuzzyRecallConfig(vocab=13, length=23, noise=0.6, noise_vocab=4, **SINGLE)
    right = []
    for row, wanted in zip(*(each.tolist() for each in FuzzyRecallTask(config).sample(4_000, generator)), strict=True):
        for place, answer in enumerate(wanted):
            if answer != X:
                right.append(answer == max(range(4, 8), key=row[: place + 1].count))
    assert config.chance == pytest.approx(sum(right) / len(right), abs=0.015)


def test_bits_count_the_tables_that_may_be_asked_for_where_nothing_is_noise(generator):
    """Of all tables of keys and values, those of which each two are told apart by some question: a state each."""
    config = FuzzyRecallConfig(vocab=7, length=5, noise=0.7, noise_vocab=2, **SINGLE)
    tables = set()
    for row in FuzzyRecallTask(config).sample(2_000, generator)[0].tolist():
        tables.add(frozenset((key, value) for key, value in zip(row[0:4:2], row[1:4:2], strict=True) if key < 2))
    assert {len(table) for table in tables} == {1, 2}
    full = [dict(table) for table in tables if len(table) == 2]
    assert config.bits == pytest.approx(math.log2(len(full)))
    more_room = FuzzyRecallConfig(vocab=7, length=7, noise=0.7, noise_vocab=2, **SINGLE)
    assert config.bits == more_room.bits == FuzzyRecallConfig(vocab=5, length=5, **SINGLE).bits


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"noise": 0.2}, "noise_vocab must be at least 1 for noise 0.2; got 0"),
        ({"noise": 1.0, "noise_vocab": 1}, "noise must be less than 1, for what is noise asks nothing; got 1.0"),
        ({"noise": -0.1, "noise_vocab": 1}, "noise must be a number from 0 to 1; got -0.1"),
        ({"noise": "much", "noise_vocab": 1}, "noise must be a number from 0 to 1; got 'much'"),
        ({"noise_vocab": -1}, "noise_vocab must be a whole number >= 0; got -1"),
        (
            {"noise_vocab": 13},
            "key_length must be at most 1, the tokens that vocab 16 with noise_vocab 13 has for it; got 3",
        ),
        (
            {"noise_vocab": 14},
            "noise_vocab must be at most 13, for vocab 16 to have a key, a value and padding; got 14",
        ),
    ],
)
def test_noise_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        FuzzyRecallConfig(**fields)


def test_ids_of_noise_may_be_there_without_any(generator):
    config = FuzzyRecallConfig(vocab=9, length=9, noise_vocab=4, **SINGLE)
    tokens, _ = FuzzyRecallTask(config).sample(50, generator)
    assert set(tokens.flatten().tolist()) == {0, 1, 2, 3}
