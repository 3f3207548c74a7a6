"""Scoring models: one that copies perfectly, one that does not, one that is real."""

import pytest
import torch
from torch import Tensor, nn

from crn_lib.config import ConfigError
from crn_lib.models import ModelConfig, build_model
from crn_lib.tasks import (
    EOS,
    SEP,
    CopyingConfig,
    CopyingTask,
    ImagesConfig,
    ImagesTask,
    SentencesConfig,
    SentencesTask,
)
from crn_lib.tasks.evaluate import free_running, teacher_forced, trace_copy

TASK = CopyingTask(CopyingConfig(string_length=6, shortest=2, vocab=5))
PERFECT = {"character_accuracy": 1.0, "string_accuracy": 1.0}


class Copier(nn.Module):
    """Reads the string off its prompt, and slips at the one place of it that it is told to."""

    def __init__(self, slip_at: int | None = None, slip: int = 3) -> None:
        super().__init__()
        self.head = nn.Linear(1, 1)
        self.slip_at, self.slip = slip_at, slip

    def generate(self, prompt: Tensor, steps: int, lengths: Tensor) -> Tensor:
        answers = torch.full((len(prompt), steps), EOS)
        for row, length in enumerate(lengths.tolist()):
            assert prompt[row, length - 1] == SEP, "a prompt ends at SEP"
            answers[row, : length - 2] = prompt[row, 1 : length - 1]
        if self.slip_at is not None:
            answers[:, self.slip_at] = self.slip
        return answers

    def forward(self, tokens: Tensor) -> Tensor:
        """Says at every position what comes next, and EOS after the last letter."""
        follows = torch.cat([tokens[:, 1:], torch.full_like(tokens[:, :1], EOS)], dim=1)
        return torch.nn.functional.one_hot(follows, 8).float()


def test_a_perfect_copier_scores_one_both_ways(generator):
    assert free_running(Copier(), TASK, 50, generator) == PERFECT
    assert teacher_forced(Copier(), TASK, 50, generator) == PERFECT


def test_a_copier_that_starts_with_eos_scores_nothing(generator):
    assert free_running(Copier(slip_at=0, slip=EOS), TASK, 50, generator) == dict.fromkeys(PERFECT, 0.0)


def test_a_copier_that_always_starts_with_a_is_right_where_the_string_does(generator):
    found = free_running(Copier(slip_at=0), CopyingTask(CopyingConfig(string_length=4, vocab=5)), 2_000, generator)
    assert found["string_accuracy"] == pytest.approx(1 / 5, abs=0.04)
    assert found["character_accuracy"] == pytest.approx(3 / 4 + 1 / 4 * 1 / 5, abs=0.01)


@pytest.mark.parametrize("score", [free_running, teacher_forced])
def test_every_evaluation_draws_fresh_strings(generator, score):
    before = generator.get_state()
    score(Copier(), TASK, 4, generator)
    assert not torch.equal(generator.get_state(), before)


@pytest.mark.parametrize(
    ("strings", "split", "says"),
    [(4, "tset", "split must be one of validation, test; got 'tset'"), (-1, "test", "strings must be a whole number")],
)
@pytest.mark.parametrize("task", [TASK, ImagesTask(ImagesConfig()), SentencesTask(SentencesConfig(path="nowhere"))])
def test_a_split_that_is_none_is_refused_whether_a_task_draws_or_reads(generator, task, strings, split, says):
    with pytest.raises(ConfigError, match=f"^{says}"):
        teacher_forced(Copier(), task, strings, generator, split)


def real_model(**fields):
    return build_model(ModelConfig(vocab_size=8, width=12, blocks=2, max_length=14, **fields))


@pytest.mark.parametrize("kind", ["causal_rn", "lstm"])
def test_an_untrained_model_is_scored_and_builds_no_graph(generator, kind):
    for score in (teacher_forced, free_running):
        found = score(real_model(kind=kind), TASK, 20, generator)
        assert set(found) == set(PERFECT) and found["string_accuracy"] < 0.2


def test_a_trace_writes_what_generate_writes():
    model = real_model()
    trace = trace_copy(model, TASK, "abcd")
    tokens, _ = TASK.lay_out(TASK.encode("abcd")[None], torch.tensor([4]))
    prompt, _ = TASK.prompts(tokens)
    assert trace.text == "abcd" and trace.written == TASK.decode(model.generate(prompt, 5)[0])
    first = model(prompt)[0, -1].softmax(dim=-1).max().item()
    assert trace.probabilities[0] == pytest.approx(first, rel=1e-5)
    assert len(trace.written) == len(trace.probabilities) == 5 and len(trace.state_bytes) == 6
    assert trace.state_bytes[0] == model.prefill(prompt)[1].nbytes


@pytest.mark.parametrize("text", ["", "abcdeab", "xyz"])
def test_a_text_outside_the_task_is_refused(text):
    with pytest.raises(ConfigError):
        trace_copy(real_model(), TASK, text)
