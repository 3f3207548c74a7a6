"""The loss of scored places, of tokens and of numbers, with logits at all places and at some."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.models import ModelConfig, build_model
from crn_lib.tasks import NOT_SCORED, CopyingConfig, CopyingTask, mean_loss, predict, scored, teacher_forced
from crn_lib.tasks.loss import LARGE_HEAD, losses, places_to_compute
from crn_lib.training import TrainConfig
from tests.tiny import run, timeless, weights

NAN = math.nan
TASK = CopyingTask(CopyingConfig(string_length=4, shortest=2, vocab=5))


def model_of(outputs: int) -> torch.nn.Module:
    return build_model(ModelConfig(vocab_size=outputs, width=12, blocks=2, max_length=10))


@pytest.mark.parametrize("outputs", [LARGE_HEAD, LARGE_HEAD + 1, 1000])
def test_the_loss_and_its_gradient_are_the_same_wherever_logits_are_computed(outputs, generator) -> None:
    model = model_of(outputs)
    tokens, targets = TASK.sample(6, generator)
    at = places_to_compute(model, targets)
    assert (at is None) == (outputs <= LARGE_HEAD) and (at is None or torch.equal(at, targets != NOT_SCORED))
    at = scored(targets)
    found = []
    for outputs_, asked in ((model(tokens), targets), (model(tokens, at=at), targets[at])):
        loss = mean_loss(outputs_, asked)
        found.append((loss, *torch.autograd.grad(loss, list(model.parameters()))))
    for some, everywhere in zip(*found, strict=True):
        torch.testing.assert_close(some, everywhere, rtol=1e-6, atol=1e-7)


def test_where_all_places_are_scored_none_is_picked() -> None:
    assert places_to_compute(model_of(1000), torch.zeros(2, 3, dtype=torch.long)) is None


def test_training_is_the_same_but_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainConfig(
        model=ModelConfig(vocab_size=80, width=8, blocks=1, max_length=10),
        task=TASK.config,
        steps=10,
        batch=8,
        evaluate_every=5,
        evaluation_strings=50,
    )
    some = run(config)
    monkeypatch.setattr("crn_lib.tasks.loss.LARGE_HEAD", 80)
    everywhere = run(config)
    for one, other in zip(timeless(some.history), timeless(everywhere.history), strict=True):
        assert one == pytest.approx(other, rel=1e-5)
    for name, tensor in weights(some).items():
        torch.testing.assert_close(tensor, weights(everywhere)[name], rtol=1e-4, atol=1e-5)


def test_scores_are_the_same_wherever_logits_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Copier(torch.nn.Module):
        """Right at half the places, with a head of any size."""

        def __init__(self, outputs: int) -> None:
            super().__init__()
            self.head = torch.nn.Linear(1, outputs)
            self.asked: list[object] = []

        def forward(self, tokens: Tensor, at: Tensor | None = None) -> Tensor:
            self.asked.append(at)
            follows = torch.cat([tokens[:, 1:], torch.full_like(tokens[:, :1], 2)], dim=1)
            follows[::2] = 3
            logits = F.one_hot(follows, 100).float()
            return logits if at is None else logits[at]

    scores = []
    for outputs in (LARGE_HEAD, 100):
        model = Copier(outputs)
        scores.append(teacher_forced(model, TASK, 40, torch.Generator().manual_seed(3)))
        assert (model.asked[0] is None) == (outputs == LARGE_HEAD)
    assert scores[0] == scores[1] and scores[0]["string_accuracy"] == 0.5


def test_numbers_have_squared_errors_where_something_is_asked() -> None:
    outputs = torch.tensor([[[1.0], [2.0], [3.0]], [[0.0], [0.0], [0.5]]])
    targets = torch.tensor([[NAN, 4.0, NAN], [1.0, NAN, 0.5]])
    assert losses(outputs, targets).tolist() == [4, 1, 0]
    assert mean_loss(outputs, targets).item() == pytest.approx(5 / 3)
    assert torch.equal(predict(outputs, targets), outputs[..., 0])
    assert scored(targets).tolist() == [[False, True, False], [True, False, True]]


def test_tokens_have_cross_entropies_in_nats_where_something_is_asked() -> None:
    targets = torch.tensor([[NOT_SCORED, 1, 0]])
    outputs = torch.tensor([[[9.0, 0.0], [0.0, 0.0], [math.log(3), 0.0]]])
    assert losses(outputs, targets).tolist() == pytest.approx([math.log(2), math.log(4 / 3)])
    assert mean_loss(outputs, targets).item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)
    assert predict(outputs, targets).tolist() == [[0, 0, 0]]
