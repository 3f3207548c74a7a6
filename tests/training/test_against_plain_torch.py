"""A dozen steps of `train` beside a dozen lines of plain torch: what reaches the weights, and what the history says.

Everything that a run can be told is on: warm-up, cosine, weight decay, a clip below every gradient's norm.
"""

import pytest
import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

from crn_lib.models import build_model
from crn_lib.tasks import CopyingConfig, CopyingTask
from crn_lib.training import TrainConfig, loop
from tests.tiny import run, timeless, tiny, weights

STEPS, WARMUP, EVERY, STRINGS = 12, 4, 5, 400


def config(seed: int) -> TrainConfig:
    """Strings of 2 letters out of 2: even an untrained model gets some right, and other strings another share."""
    return tiny(
        task=CopyingConfig(string_length=2, vocab=2),
        steps=STEPS,
        warmup=WARMUP,
        schedule="cosine",
        weight_decay=0.3,
        clip=0.2,
        evaluate_every=EVERY,
        evaluation_strings=STRINGS,
        seed=seed,
    )


def plain_torch(config: TrainConfig) -> tuple[torch.nn.Module, list[dict[str, float]], list[float]]:
    """The trained model, its history, and the norm of each gradient before it is clipped."""
    # Seed 1 has the streams 3, 4 and 5: for weights, strings to learn and strings to judge by.
    initial, data, judged = (torch.Generator().manual_seed(3 * config.seed + stream) for stream in (0, 1, 2))
    model, task = build_model(config.model, generator=initial), CopyingTask(config.task)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.3)
    rise = LinearLR(optimizer, start_factor=1 / WARMUP, total_iters=WARMUP - 1)
    fall = CosineAnnealingLR(optimizer, T_max=STEPS - WARMUP)
    schedule = SequentialLR(optimizer, [rise, fall], milestones=[WARMUP])
    history, losses, norms = [], [], []
    for step in range(1, STEPS + 1):
        tokens, targets = task.sample(config.batch, data)
        loss = F.cross_entropy(model(tokens).transpose(1, 2), targets, ignore_index=-100)
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.2)))
        optimizer.step()
        losses.append(loss.item())
        if step % EVERY == 0 or step == STEPS:
            tokens, targets = task.sample(STRINGS, judged)
            scores = task.metrics(model(tokens).argmax(dim=-1), targets)
            mean, losses = sum(losses) / len(losses), []
            history.append({"step": step, "loss": mean, "learning_rate": schedule.get_last_lr()[0], **scores})
        schedule.step()
    return model, history, norms


@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")  # torch's own SequentialLR passes it
@pytest.mark.parametrize("seed", [1, 3])
def test_a_dozen_steps_are_those_of_plain_torch(seed: int) -> None:
    model, history, norms = plain_torch(config(seed))
    ours = run(config(seed))
    assert min(norms) > 0.2, "every gradient is clipped"
    assert all(row["character_accuracy"] > 0 for row in history), "an accuracy of 0 would agree with any strings"
    assert [row["step"] for row in history] == [5, 10, 12]
    for found, wanted in zip(timeless(ours.history), history, strict=True):
        assert found == pytest.approx(wanted, rel=1e-6)
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(weights(ours)[name], tensor, rtol=1e-6, atol=1e-6, msg=name)


def test_no_two_streams_of_any_two_seeds_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed 1's weights must not be drawn from seed 0's training strings."""
    seeds: list[int] = []

    class Noted(torch.Generator):
        def manual_seed(self, seed: int) -> torch.Generator:
            seeds.append(seed)
            return super().manual_seed(seed)

    monkeypatch.setattr(loop.torch, "Generator", Noted)
    for seed in range(6):
        run(tiny(steps=1, seed=seed))
    assert len(seeds) == 3 * 6 == len(set(seeds))
