"""Where the time of a training step goes, by named part.

The real training loop runs under `torch.profiler`; what lies between two of its optimizer steps is one step. Every
operation counts for the part of the model that called it. An operation of the backward pass counts for the forward
operation it differentiates, which autograd's sequence numbers name.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.profiler import ProfilerActivity, profile

from crn_lib.models import ModelConfig
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig, train

COPYING_64 = CopyingConfig(string_length=64)
PROFILED_CONFIG = TrainConfig(model=ModelConfig(max_length=COPYING_64.context), task=COPYING_64, batch=32)
"""The CausalRN, 4 blocks of width 64, on strings of 64 letters."""

WARM_UP = 3
BACKWARD = "autograd::engine::evaluate_function: "
OPTIMIZER_STEP = "Optimizer.step"

RELATION = "relation"
OTHER = "strings drawn, checks, the rest"
BETWEEN = "Python between operations"
PARTS = {
    "linear maps": ("aten::linear",),
    "layer norms": ("aten::layer_norm",),
    "embeddings, position table": ("aten::embedding", "aten::slice"),
    "additions of positions and residuals": ("aten::add",),
    "loss": ("aten::cross_entropy_loss", "aten::flatten"),
    "gradients gathered and zeroed": (f"{BACKWARD}torch::autograd::AccumulateGrad", "Optimizer.zero_grad"),
    "clipping": ("aten::_foreach_norm", "aten::_foreach_mul_", "aten::stack", "aten::linalg_vector_norm"),
    "optimizer": (OPTIMIZER_STEP,),
}
"""The outermost operations of each part, by the beginning of their names; the relation's have its name in theirs."""


@dataclass(frozen=True)
class StepProfile:
    """Where the time of one step goes: the step of median length among those measured.

    Attributes:
        parts: milliseconds by part; they add up to `whole`.
        undisturbed: milliseconds of a step without the profiler, which slows every operation a little; the median.
    """

    parts: dict[str, float]
    undisturbed: float

    @property
    def whole(self) -> float:
        """Milliseconds of the step under the profiler."""
        return sum(self.parts.values())

    def table(self) -> list[tuple[str, str, str]]:
        """Headings, then each part with its milliseconds and its share, largest first, then the whole."""
        ordered = sorted(self.parts.items(), key=lambda part: -part[1])
        lines = [(part, f"{spent:.2f}", f"{spent / self.whole:.1%}") for part, spent in ordered]
        return [("part of a training step", "ms", "share"), *lines, ("the whole step", f"{self.whole:.2f}", "100.0%")]


def profile_step(config: TrainConfig = PROFILED_CONFIG, *, steps: int = 20) -> StepProfile:
    """Train on the CPU, once with a clock and once under the profiler, and say what a step is made of.

    Args:
        config: what is trained; its own number of steps and of evaluation strings play no part.
        steps: how many are measured; a few before them warm up, and the evaluation comes after them.
    """
    total = WARM_UP + steps
    config = replace(config, steps=total, evaluate_every=total, evaluation_strings=1, stop_at=None)
    ends: list[float] = []
    hook = register_optimizer_step_post_hook(lambda *_: ends.append(time.perf_counter()))
    try:
        train(config, device="cpu", progress=False)
    finally:
        hook.remove()
    undisturbed = 1e3 * median(end - begun for begun, end in pairwise(ends[WARM_UP - 1 :]))
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        train(config, device="cpu", progress=False)
    return StepProfile(_median_step(list(recorded.events() or [])), undisturbed)


def _median_step(events: list[Any]) -> dict[str, float]:
    """Milliseconds by part of the step of median length, warm-up left out."""
    ends = [event.time_range.end for event in events if event.name.startswith(OPTIMIZER_STEP)]
    steps = sorted(pairwise(ends[WARM_UP - 1 :]), key=lambda step: step[1] - step[0])
    begin, end = steps[len(steps) // 2]
    within = [event for event in events if begin <= event.time_range.start < end]
    forward = _forward_parts(within)
    parts = dict.fromkeys((RELATION, *PARTS, OTHER), 0.0)
    for event in within:
        if event.cpu_parent is None:
            part = forward.get(event.sequence_nr) if event.name.startswith(BACKWARD) else None
            parts[part or _named_part(event.name)] += event.time_range.elapsed_us() / 1e3
    parts[BETWEEN] = (end - begin) / 1e3 - sum(parts.values())
    return parts


def _forward_parts(events: Iterable[Any]) -> Mapping[int, str]:
    """Part of the forward operation behind each of autograd's sequence numbers.

    An operation notes the number that the next node of the graph will get. Only the last one to note a number made
    the node, so later ones replace earlier ones.
    """
    parts = {}
    for event in sorted(events, key=lambda event: event.time_range.start):
        outermost = event
        while outermost.cpu_parent is not None:
            outermost = outermost.cpu_parent
        if event.sequence_nr >= 0 and not outermost.name.startswith(BACKWARD):
            parts[event.sequence_nr] = _named_part(outermost.name)
    return parts


def _named_part(name: str) -> str:
    if RELATION in name.lower():
        return RELATION
    return next((part for part, names in PARTS.items() if name.startswith(names)), OTHER)
