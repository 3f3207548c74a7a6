"""Accuracy of a model on fresh strings: teacher-forced and free-running."""

import torch

from crn_lib.models import SequenceModel
from crn_lib.tasks.copying import CopyingTask


@torch.no_grad()
def teacher_forced(
    model: SequenceModel, task: CopyingTask, strings: int, generator: torch.Generator
) -> dict[str, float]:
    """Accuracies when the model sees the true letters so far, on `strings` freshly drawn problems."""
    tokens, targets = task.sample(strings, generator)
    device = model.head.weight.device
    predictions = model(tokens.to(device)).argmax(dim=-1).cpu()
    return task.metrics(predictions, targets)


@torch.no_grad()
def free_running(model: SequenceModel, task: CopyingTask, strings: int, generator: torch.Generator) -> dict[str, float]:
    """Accuracies when the model reads its own output: it gets `BOS x SEP` and must write the rest."""
    tokens, targets = task.sample(strings, generator)
    prompts, lengths = task.prompts(tokens)
    device = model.head.weight.device
    steps = task.config.string_length + 1
    answers = model.generate(prompts.to(device), steps, lengths.to(device)).cpu()
    return task.metrics(task.place_answers(answers, targets), targets)


def copy_text(model: SequenceModel, task: CopyingTask, text: str) -> str:
    """What the model writes when asked to copy this text; `>` stands for EOS.

    Raises:
        ConfigError: text outside the task's alphabet or length.
    """
    letters = task.encode(text)[None]
    tokens, _ = task.lay_out(letters, torch.tensor([len(text)]))
    prompts, _ = task.prompts(tokens)
    answer = model.generate(prompts.to(model.head.weight.device), len(text) + 1)[0].cpu()
    return task.decode(answer)
