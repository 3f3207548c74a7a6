"""The copying task: the layout to the token, the score to the letter."""

import math
import string

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.models import BLOCKS, ModelConfig, build_model
from crn_lib.tasks import BOS, EOS, NOT_SCORED, SEP, CopyingConfig, CopyingTask, string_bits

X = NOT_SCORED

strings_of_letters = st.lists(st.lists(st.integers(3, 28), min_size=1, max_size=7), min_size=1, max_size=5)


def batch_of(strings: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Letters padded with rubbish, and lengths, as `lay_out` takes them."""
    longest = max(map(len, strings))
    letters = torch.tensor([row + [99] * (longest - len(row)) for row in strings])
    return letters, torch.tensor([len(row) for row in strings])


# --- layout ---


def test_the_special_tokens_and_the_letters_have_the_papers_ids():
    task = CopyingTask(CopyingConfig(string_length=26))
    assert (BOS, SEP, EOS) == (0, 1, 2)
    assert task.encode(string.ascii_lowercase).tolist() == list(range(3, 29))
    assert task.config.vocab_size == 29


def test_a_problem_is_bos_string_sep_string_and_is_scored_from_sep_on():
    tokens, targets = CopyingTask(CopyingConfig(string_length=3)).lay_out(torch.tensor([[5, 9, 4]]), torch.tensor([3]))
    assert tokens.tolist() == [[BOS, 5, 9, 4, SEP, 5, 9, 4]]
    assert targets.tolist() == [[X, X, X, X, 5, 9, 4, EOS]]


def test_shorter_strings_are_padded_on_the_right_and_the_padding_is_not_scored():
    letters, lengths = batch_of([[5, 9, 4], [7]])
    tokens, targets = CopyingTask(CopyingConfig(string_length=3)).lay_out(letters, lengths)
    assert tokens.tolist() == [[BOS, 5, 9, 4, SEP, 5, 9, 4], [BOS, 7, SEP, 7, EOS, EOS, EOS, EOS]]
    assert targets.tolist() == [[X, X, X, X, 5, 9, 4, EOS], [X, X, 7, EOS, X, X, X, X]]


@given(strings_of_letters)
def test_any_batch_is_laid_out_as_a_list_would_be(strings):
    letters, lengths = batch_of(strings)
    tokens, targets = CopyingTask(CopyingConfig(string_length=7)).lay_out(letters, lengths)
    context = 2 * (letters.shape[1] + 1)
    for row, text in enumerate(strings):
        problem = [BOS, *text, SEP, *text]
        answer = [X] * (len(text) + 1) + [*text, EOS]
        assert tokens[row].tolist() == problem + [EOS] * (context - len(problem))
        assert targets[row].tolist() == answer + [X] * (context - len(answer))


@pytest.mark.parametrize(("length", "shortest", "vocab"), [(16, None, 26), (5, 2, 3), (4, 4, 1), (1, 1, 30)])
def test_samples_stay_in_their_alphabet_and_lengths(generator, length, shortest, vocab):
    task = CopyingTask(CopyingConfig(string_length=length, shortest=shortest, vocab=vocab))
    tokens, targets = task.sample(400, generator)
    assert tokens.shape == targets.shape == (400, task.config.context)
    assert tokens.dtype == targets.dtype == torch.long
    letters = targets[(targets != X) & (targets != EOS)]
    assert set(letters.tolist()) == set(range(3, 3 + vocab))
    lengths = (targets != X).sum(dim=1) - 1
    assert set(lengths.tolist()) == set(range(shortest or length, length + 1))
    assert torch.equal((tokens == SEP).int().argmax(dim=1), lengths + 1)


@pytest.mark.parametrize("shortest", [None, 3])
def test_samples_are_fresh_and_a_seed_brings_them_back(generator, shortest):
    task = CopyingTask(CopyingConfig(shortest=shortest))
    first, second = task.sample(8, generator)[0], task.sample(8, generator)[0]
    again = task.sample(8, torch.Generator().manual_seed(0))[0]
    assert torch.equal(first, again) and not torch.equal(first, second)
    assert len({tuple(row) for row in torch.cat([first, second]).tolist()}) == 16


@pytest.mark.parametrize("kind", BLOCKS)
def test_padding_reaches_no_scored_logit_of_any_model(generator, kind):
    task = CopyingTask(CopyingConfig(string_length=6, shortest=1, vocab=5))
    model = build_model(ModelConfig(kind=kind, vocab_size=8, width=8, blocks=2, max_length=14)).double()
    tokens, targets = task.sample(10, generator)
    ends = (targets == EOS).int().argmax(dim=1)
    padding = torch.arange(14) > ends[:, None]
    assert padding.any()
    changed = torch.where(padding, torch.randint(3, 8, tokens.shape, generator=generator), tokens)
    scored = targets != X
    torch.testing.assert_close(model(tokens)[scored], model(changed)[scored], rtol=1e-12, atol=1e-12)


# --- scores ---


def scores_of(answer: list[int], wanted: str = "abcd") -> dict[str, float]:
    """The metrics of one answer, letters and EOS, to one string."""
    task = CopyingTask(CopyingConfig(string_length=len(wanted)))
    _, targets = task.lay_out(task.encode(wanted)[None], torch.tensor([len(wanted)]))
    return task.metrics(task.place_answers(torch.tensor([answer]), targets), targets)


A, B, C, D = 3, 4, 5, 6


@pytest.mark.parametrize(
    ("answer", "characters", "whole"),
    [
        ([A, B, C, D, EOS], 1.0, 1.0),
        ([A, B, C, A, EOS], 0.75, 0.0),
        ([D, C, B, A, EOS], 0.0, 0.0),
        ([A, D, B, A, EOS], 0.25, 0.0),
        ([SEP, B, C, D, EOS], 0.75, 0.0),  # a wrong token that is no EOS is a wrong letter
        ([A, B, C, D, D], 0.0, 0.0),  # EOS is missing
        ([A, B, C, EOS, EOS], 0.0, 0.0),  # EOS is early
        ([A, B, C, EOS, D], 0.0, 0.0),
        ([EOS, B, C, D, EOS], 0.0, 0.0),
        ([EOS, EOS, EOS, EOS, EOS], 0.0, 0.0),
    ],
)
def test_a_misplaced_eos_scores_nothing_and_wrong_letters_their_share(answer, characters, whole):
    assert scores_of(answer) == {"character_accuracy": characters, "string_accuracy": whole}


def test_scores_are_means_over_strings_and_not_over_letters():
    task = CopyingTask(CopyingConfig(string_length=4))
    letters, lengths = batch_of([[A, B, C, D], [A]])
    _, targets = task.lay_out(letters, lengths)
    predictions = targets.clone()
    predictions[1, 2] = B  # the one letter of the short string
    assert task.metrics(predictions, targets) == {"character_accuracy": 0.5, "string_accuracy": 0.5}


def test_what_stands_where_nothing_is_scored_does_not_count(generator):
    task = CopyingTask(CopyingConfig(string_length=6, shortest=2))
    _, targets = task.sample(20, generator)
    predictions = torch.where(targets == X, torch.randint(29, targets.shape, generator=generator), targets)
    assert task.metrics(predictions, targets) == {"character_accuracy": 1.0, "string_accuracy": 1.0}


@given(strings_of_letters, st.randoms(use_true_random=False))
def test_metrics_are_what_counting_gives(strings, random):
    letters, lengths = batch_of(strings)
    task = CopyingTask(CopyingConfig(string_length=7))
    _, targets = task.lay_out(letters, lengths)
    answers = [[random.choice([x, x, x, A, B, EOS]) for x in [*text, EOS]] for text in strings]
    longest = max(map(len, answers))
    padded = torch.tensor([answer + [A] * (longest - len(answer)) for answer in answers])
    found = task.metrics(task.place_answers(padded, targets), targets)

    shares, wholes = [], []
    for text, answer in zip(strings, answers, strict=True):
        eos_in_place = answer.index(EOS) == len(text) if EOS in answer else False
        right = sum(x == y for x, y in zip(text, answer, strict=False))
        shares.append(right / len(text) if eos_in_place else 0.0)
        wholes.append(answer == [*text, EOS])
    assert found["character_accuracy"] == pytest.approx(sum(shares) / len(shares), abs=1e-6)
    assert found["string_accuracy"] == pytest.approx(sum(wholes) / len(wholes), abs=1e-6)


def test_metrics_refuse_what_cannot_be_scored(generator):
    task = CopyingTask(CopyingConfig(string_length=3))
    _, targets = task.sample(2, generator)
    with pytest.raises(ValueError, match=r"must both be \(batch, length\); got \(2, 7\) and \(2, 8\)$"):
        task.metrics(targets[:, 1:], targets)
    with pytest.raises(ValueError, match=r"must both be \(batch, length\); got \(8,\) and \(8,\)$"):
        task.metrics(targets[0], targets[0])
    with pytest.raises(ValueError, match=r"^every row of targets must have its EOS"):
        task.metrics(targets, torch.full_like(targets, X))
    targets[1] = X
    with pytest.raises(ValueError, match=r"^every row of targets must have its EOS"):
        task.metrics(targets, targets)


# --- prompts, answers, text ---


@given(strings_of_letters)
@settings(max_examples=50)
def test_prompts_end_at_sep_and_answers_find_their_place(strings):
    letters, lengths = batch_of(strings)
    task = CopyingTask(CopyingConfig(string_length=7))
    tokens, targets = task.lay_out(letters, lengths)
    prompts, ends = task.prompts(tokens)
    assert torch.equal(ends, lengths + 2) and prompts.shape[1] == ends.max()
    for row, text in enumerate(strings):
        assert prompts[row, : ends[row]].tolist() == [BOS, *text, SEP]
    steps = letters.shape[1] + 1
    answers = torch.tensor([[*text, EOS] + [A] * (steps - len(text) - 1) for text in strings])
    placed = task.place_answers(answers, targets)
    assert torch.equal(placed, targets)


@given(st.text(string.ascii_lowercase, min_size=1, max_size=9))
def test_text_goes_to_tokens_and_back(text):
    task = CopyingTask(CopyingConfig(string_length=9))
    assert task.decode(task.encode(text)) == text


def test_special_tokens_have_marks():
    assert CopyingTask(CopyingConfig()).decode(torch.tensor([BOS, 3, SEP, 28, EOS])) == "<a|z>"


@pytest.mark.parametrize("wrong", [29, 99, -100, -1])
def test_a_token_without_a_letter_cannot_be_shown(wrong):
    with pytest.raises(ConfigError, match=f"only the letters a to z have a text form; got token id {wrong}$"):
        CopyingTask(CopyingConfig(vocab=30)).decode(torch.tensor([3, wrong]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the string must have 1 to 4 letters; got 0"),
        ("abcab", "the string must have 1 to 4 letters; got 5"),
        ("abd", "only the letters a to c can be copied; got 'd'"),
        ("A", "only the letters a to c can be copied; got 'A'"),
        ("a b", "only the letters a to c can be copied; got ' '"),
        ("ä", "only the letters a to c can be copied; got 'ä'"),
    ],
)
def test_text_that_cannot_be_copied_is_refused(text, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        CopyingTask(CopyingConfig(string_length=4, vocab=3)).encode(text)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"string_length": 0}, "string_length must be a whole number >= 1; got 0"),
        ({"string_length": 1.5}, "string_length must be a whole number >= 1; got 1.5"),
        ({"vocab": 0}, "vocab must be a whole number >= 1; got 0"),
        ({"shortest": 0}, "shortest must be a whole number >= 1; got 0"),
        ({"string_length": 4, "shortest": 5}, "shortest must be at most string_length 4; got 5"),
    ],
)
def test_a_task_that_cannot_be_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        CopyingConfig(**fields)


def test_sizes_follow_from_the_configuration():
    config = CopyingConfig(string_length=16, vocab=4)
    assert (config.vocab_size, config.context) == (7, 34)


def test_bits_count_the_strings():
    assert CopyingConfig(string_length=16).bits == string_bits(16)
    assert CopyingConfig(string_length=3, shortest=2, vocab=2).bits == pytest.approx(math.log2(2**2 + 2**3))
    assert CopyingConfig(string_length=4, shortest=1, vocab=1).bits == pytest.approx(2), "the length alone"
    assert math.isfinite(CopyingConfig(string_length=4096, shortest=1).bits)


def test_a_batch_must_be_a_whole_number(generator):
    with pytest.raises(ConfigError, match=r"^batch must be a whole number >= 1; got 0$"):
        CopyingTask(CopyingConfig()).sample(0, generator)
