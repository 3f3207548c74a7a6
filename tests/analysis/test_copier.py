"""The copier made by hand, and every measure on it: there the answer is known."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crn_lib.analysis import (
    cancellation_copier,
    capture_pairs,
    copy_sources,
    drop,
    effective_senders,
    freeze_scale,
    influence,
    level,
    memory_rank,
    most_aligned,
    most_amplified,
    most_opposed,
    random_sender,
    rescale,
    run_edited,
    swap_scales,
)
from crn_lib.analysis.copier import HANDS, LOUDNESS, clock, turned_back
from crn_lib.tasks import EOS, SEP, CopyingConfig, CopyingTask, free_running

LENGTH = 12


@pytest.fixture(scope="module")
def task():
    return CopyingTask(CopyingConfig(string_length=LENGTH))


@pytest.fixture(scope="module")
def copier(task):
    return cancellation_copier(task.config)


@pytest.fixture
def problems(task, generator):
    return task.sample(32, generator)


@pytest.fixture
def pairs(copier, problems):
    return capture_pairs(copier, problems[0], copy_sources(LENGTH).rows)[0]


@pytest.fixture
def sources(pairs):
    return copy_sources(LENGTH).sources.expand(pairs.weight.shape[:3])


def at(values, sender):
    return values.gather(-1, sender[..., None])[..., 0]


def elsewhere(values, sender, pairs):
    others = pairs.visible & (torch.arange(values.shape[-1]) != sender[..., None])
    return values[others]


@pytest.mark.parametrize("string_length", [1, 2, 16, 64, 200])
def test_it_copies_random_strings_of_any_length(string_length, generator):
    task = CopyingTask(CopyingConfig(string_length=string_length))
    scores = free_running(cancellation_copier(task.config), task, 16, generator)
    assert scores == {"character_accuracy": 1.0, "string_accuracy": 1.0}


@given(text=st.text(alphabet="abyz", min_size=LENGTH, max_size=LENGTH))
def test_it_copies_every_string_also_of_few_letters(text, copier, task):
    tokens, targets = task.lay_out(task.encode(text)[None], torch.tensor([LENGTH]))
    with torch.no_grad():
        predictions = copier(tokens).argmax(-1)
    assert task.metrics(predictions, targets)["string_accuracy"] == 1.0


@pytest.mark.parametrize("offset", [0, 1, 5])
def test_it_writes_what_stands_at_the_chosen_offset(offset, task, problems):
    tokens, _ = problems
    with torch.no_grad():
        said = cancellation_copier(task.config, offset=offset)(tokens).argmax(-1)
    expected = torch.where(tokens == SEP, EOS, tokens)
    assert torch.equal(said[:, offset:], expected[:, : tokens.shape[1] - offset])


def test_the_clock_turns_back_and_no_two_positions_are_alike():
    rows = clock(torch.arange(100), 100)
    torch.testing.assert_close(rows.mean(-1), torch.zeros(100).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(rows.std(-1, correction=0), torch.ones(100).double())
    torch.testing.assert_close(rows[7:] @ turned_back(7, 100).T, rows[:-7])
    likeness = rows @ rows.T / (4 * HANDS)
    assert likeness.fill_diagonal_(0).max() < 0.999


def test_the_source_and_no_one_else_is_most_opposed_and_most_amplified(pairs, sources):
    assert torch.equal(most_opposed(pairs), sources)
    assert torch.equal(most_amplified(pairs), sources)
    assert (most_aligned(pairs) != sources).all()


def test_what_is_left_of_the_source_is_its_letter(pairs, sources, copier):
    width, letters = copier.config.width, copier.config.vocab_size
    correlation = -1 / math.sqrt(1 + LOUDNESS**2)
    torch.testing.assert_close(at(pairs.correlation, sources), torch.full(sources.shape, correlation))
    # A one-hot row of the letters less its mean; the positions' columns are empty.
    spike = torch.cat([torch.eye(letters)[0] - 1 / letters, torch.zeros(width - letters)])
    alone = (spike[0] / spike.std(correction=0)).item()
    peak = at(influence(pairs).peak, sources)
    torch.testing.assert_close(peak, torch.full(sources.shape, alone), rtol=1e-4, atol=0)
    assert elsewhere(pairs.correlation, sources, pairs).min() > correlation + 0.05
    assert elsewhere(influence(pairs).peak, sources, pairs).max() < peak.min()


def test_the_source_has_nearly_all_of_the_output_and_the_shares_add_up(pairs, sources):
    found = influence(pairs)
    torch.testing.assert_close(found.share.sum(-1), torch.ones(sources.shape))
    assert at(found.share, sources).min() > 0.9
    assert (found.share.masked_fill(pairs.visible, 0) == 0).all()
    senders = effective_senders(found.strength)
    assert senders.min() >= 1 and senders.mean() < 2


def test_shares_against_the_definition(pairs):
    found = influence(pairs)
    n, r = 3, 5
    seen = int(pairs.rows[r]) + 1
    each = (pairs.scale[n, 0, r, :seen, None] * (pairs.receivers[n, 0, r] + pairs.senders[n, 0, :seen])).exp()
    torch.testing.assert_close(found.peak[n, 0, r, :seen], each.log().amax(-1))
    each = each - each.mean(-1, keepdim=True)
    whole = each.sum(0)
    torch.testing.assert_close(found.share[n, 0, r, :seen], each @ whole / (whole @ whole))
    torch.testing.assert_close(found.strength[n, 0, r, :seen], each.norm(dim=-1))


def test_effective_senders_counts_equals_and_ignores_nothings():
    assert effective_senders(torch.tensor([[2.0, 2, 2, 0, 0], [0, 0, 7, 0, 0]])).tolist() == pytest.approx([3, 1])
    assert effective_senders(torch.zeros(4)).isnan()


def test_without_the_source_it_does_not_copy_and_without_another_it_does(
    copier, task, problems, pairs, sources, generator
):
    tokens, targets = problems
    rows = copy_sources(LENGTH).rows

    def score(edit):
        return task.metrics(run_edited(copier, tokens, {0: edit}, rows).argmax(-1), targets)["character_accuracy"]

    assert score(drop(most_opposed(pairs))) < 0.15
    assert score(drop(most_aligned(pairs))) == 1.0
    assert score(drop(random_sender(pairs, [sources], generator))) == 1.0
    assert score(freeze_scale) < 0.15
    assert score(level(sources)) < 0.15
    assert score(rescale(sources, 0.1)) < 0.15
    other = random_sender(pairs, [sources], generator)
    assert score(swap_scales(sources, other)) < 0.15


def test_the_pool_of_the_copier_cannot_be_reduced(copier, problems):
    tokens, _ = problems
    pairs = capture_pairs(copier, tokens[:1])[0]
    seen = pairs.senders[0, 0, :8].double()
    rank = memory_rank(pairs.receivers[0, 0].double(), seen)
    assert rank.max() == 8
    assert memory_rank(pairs.receivers[0, 0].double(), seen, norm="approx").max() == 1


def test_a_random_sender_is_seen_and_never_the_excluded_one(generator, copier, problems):
    rows = torch.tensor([0, 1, 4])
    pairs = capture_pairs(copier, problems[0].repeat(40, 1), rows)[0]
    excluded = torch.tensor([0, 1, 2]).expand(pairs.weight.shape[:3])
    drawn = random_sender(pairs, [excluded], generator)
    assert (drawn[..., 0] == -1).all() and (drawn[..., 1] == 0).all()
    values, counts = drawn[..., 2].unique(return_counts=True)
    assert values.tolist() == [0, 1, 3, 4]
    assert counts.min() > drawn.shape[0] / 4 * 0.8


def test_sources_are_the_letters_to_be_written():
    task = CopyingTask(CopyingConfig(string_length=5))
    tokens, targets = task.sample(3, torch.Generator().manual_seed(1))
    where = copy_sources(5)
    assert torch.equal(tokens[:, where.sources[:-1]], targets[:, where.rows[:-1]])
    assert (tokens[:, where.sources[-1]] == SEP).all() and (targets[:, where.rows[-1]] == EOS).all()
    assert ((targets >= 0).sum(1) == len(where.rows)).all()
