"""Accuracy of a model on fresh problems: teacher-forced, and for copying free-running."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from crn_lib.models import SequenceModel
from crn_lib.tasks.copying import CopyingTask
from crn_lib.tasks.loss import losses, places_to_compute, predict
from crn_lib.tasks.registry import ScoresLosses, Task, check_held_out
from crn_lib.tasks.scores import NOT_SCORED


def teacher_forced(
    model: SequenceModel, task: Task[Any], strings: int, generator: torch.Generator, split: str = "validation"
) -> dict[str, float]:
    """The task's metrics when the model sees the true tokens so far, on `strings` freshly drawn problems.

    Of a task with groups also its main metric in each group that was drawn, as in `accuracy_2_hops`. Of a task of real
    data they are always the same problems, from the `split` that was held out: `validation`, or `test`.

    Raises:
        ConfigError: strings below 1, another split, or no generator.

    Example:
        >>> task = CopyingTask(CopyingConfig(string_length=3))
        >>> model = build_model(ModelConfig(width=8, blocks=1, max_length=8))
        >>> sorted(teacher_forced(model, task, 4, torch.Generator()))
        ['character_accuracy', 'string_accuracy']
    """
    check_held_out(strings, split)
    return score(model, task, *(task.held_out(strings, split) or task.sample(strings, generator)))


@torch.no_grad()
def score(model: SequenceModel, task: Task[Any], tokens: Tensor, targets: Tensor) -> dict[str, float]:
    """The same on problems that are given, as `sample` and `held_out` lay them out."""
    tokens, at = tokens.to(model.head.weight.device), places_to_compute(model, targets)
    outputs = (model(tokens) if at is None else model(tokens, at=at.to(tokens.device))).cpu()
    asked = targets if at is None else targets[at]
    predictions = predict(outputs, asked)
    if at is not None:
        predictions = torch.zeros_like(targets).masked_scatter(at, predictions)
    scores = task.metrics(predictions, targets)
    if isinstance(task, ScoresLosses):
        scores |= task.loss_metrics(losses(outputs.float(), asked))
    for name, places in task.groups(tokens.cpu()).items():
        own = torch.where(places, targets, NOT_SCORED)
        if bool((own != NOT_SCORED).any()):
            scores[f"{task.main_metric}_{name}"] = task.metrics(predictions, own)[task.main_metric]
    return scores


@torch.no_grad()
def free_running(model: SequenceModel, task: CopyingTask, strings: int, generator: torch.Generator) -> dict[str, float]:
    """Accuracies when the model reads its own output: it gets `BOS x SEP` and must write the rest.

    Example:
        >>> task = CopyingTask(CopyingConfig(string_length=3))
        >>> model = build_model(ModelConfig(width=8, blocks=1, max_length=8))
        >>> free_running(model, task, 4, torch.Generator())["string_accuracy"]  # it has learnt nothing yet
        0.0
    """
    tokens, targets = task.sample(strings, generator)
    prompts, lengths = task.prompts(tokens)
    device = model.head.weight.device
    steps = task.config.string_length + 1
    answers = model.generate(prompts.to(device), steps, lengths.to(device)).cpu()
    return task.metrics(task.place_answers(answers, targets), targets)


@dataclass(frozen=True)
class CopyTrace:
    """One string copied token by token.

    Attributes:
        text: what was to be copied.
        written: what the model wrote, one character a token; `>` stands for EOS.
        probabilities: what it gave each token it chose.
        state_bytes: bytes it held before the first token it wrote and after each of them.

    Example:
        >>> CopyTrace(text="a", written="a>", probabilities=(0.9, 0.8), state_bytes=(64, 80, 80)).written
        'a>'
    """

    text: str
    written: str
    probabilities: tuple[float, ...]
    state_bytes: tuple[int, ...]


def trace_copy(model: SequenceModel, task: CopyingTask, text: str) -> CopyTrace:
    """Let the model copy a text, freely running: it reads what it wrote itself.

    It is given `BOS text SEP` and writes as many tokens as the text has letters, and one more for EOS.

    Raises:
        ConfigError: text outside the task's alphabet or length.

    Example:
        >>> model = build_model(ModelConfig(width=8, blocks=1, max_length=8))
        >>> trace = trace_copy(model, CopyingTask(CopyingConfig(string_length=3)), "cab")
        >>> len(trace.written), len(trace.probabilities)  # three letters, and one token for EOS
        (4, 4)
    """
    letters = task.encode(text)[None]
    tokens, _ = task.lay_out(letters, torch.tensor([len(text)]))
    prompt, _ = task.prompts(tokens)
    logits, state = model.prefill(prompt.to(model.head.weight.device))
    written, probabilities, state_bytes = [], [], [state.nbytes]
    for _ in range(len(text) + 1):
        chosen = logits.argmax(dim=-1)
        written.append(int(chosen))
        probabilities.append(float(logits.softmax(dim=-1)[0, chosen]))
        if len(written) <= len(text):  # nothing follows the last token, so it need not be read
            logits, state = model.step(chosen, state)
        state_bytes.append(state.nbytes)
    return CopyTrace(text, task.decode(torch.tensor(written)), tuple(probabilities), tuple(state_bytes))
