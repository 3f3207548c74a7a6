"""The named cases of `crn bench`. A new one is an entry in `CASES`."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.models import KINDS, ModelConfig, build_model
from crn_lib.ops import relation
from crn_lib.ops.linear import log_relation
from crn_lib.ops.normalise import layer_norm
from crn_lib.tasks import NOT_SCORED, CopyingConfig, CopyingTask

Contenders = dict[str, Callable[[], list[Tensor]]]
SEED = 0


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        name: what `--only` matches.
        length: tokens in a sequence, the x axis of the figure.
        elements: work a call does: causal elements for the exact relation, tokens elsewhere.
        prepare: makes the contenders; the first is the truth and the baseline of the ratios.
        tolerance: largest relative difference that counts as agreement.
    """

    name: str
    length: int
    elements: float
    prepare: Callable[[], Contenders]
    tolerance: float = 1e-4


def _inputs(batch: int, length: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(SEED)
    a, b, gradient = torch.randn(3, batch, length, width, generator=generator)
    return a.requires_grad_(), b.requires_grad_(), gradient


def _with_gradients(
    function: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor, gradient: Tensor
) -> list[Tensor]:
    out = function(a, b)
    return [out, *torch.autograd.grad(out, (a, b), gradient)]


def exact_case(batch: int, length: int, width: int, *, eager: bool, compiled: bool) -> Case:
    """The exact relation, forward and backward."""

    def prepare() -> Contenders:
        a, b, gradient = _inputs(batch, length, width)

        def run(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], list[Tensor]]:
            return lambda: _with_gradients(function, a, b, gradient)

        def definition(a: Tensor, b: Tensor) -> Tensor:
            return relation(a, b, backend="naive")

        contenders = {"eager": run(definition)} if eager else {}
        if compiled:
            contenders["torch.compile"] = run(torch.compile(definition, dynamic=False))
        if not eager:
            contenders["tiled"] = run(lambda a, b: relation(a, b, backend="tiled"))
        contenders["fused"] = run(lambda a, b: relation(a, b, backend="fused"))
        query, key, value = (x.detach()[:, None].clone().requires_grad_() for x in (a, b, a))

        def attention() -> list[Tensor]:
            F.scaled_dot_product_attention(query, key, value, is_causal=True).backward(gradient[:, None])
            return []  # attention is another function: there is nothing to compare

        return {**contenders, "SDPA attention": attention}

    elements = batch * length * (length + 1) / 2 * width
    return Case(f"exact relation, batch {batch}, width {width}", length, elements, prepare)


def linear_case(batch: int, length: int, width: int) -> Case:
    """The linear relation (`approx`), forward and backward, against torch's logcumsumexp route."""

    def prepare() -> Contenders:
        a, b, gradient = _inputs(batch, length, width)

        def by_logarithms(a: Tensor, b: Tensor) -> Tensor:
            return log_relation(layer_norm(a), layer_norm(b), causal=True).exp()

        return {
            "logcumsumexp": lambda: _with_gradients(by_logarithms, a, b, gradient),
            "linear": lambda: _with_gradients(lambda a, b: relation(a, b, norm="approx"), a, b, gradient),
        }

    return Case(f"linear relation, batch {batch}, width {width}", length, batch * length, prepare)


def step_case(kind: str, string_length: int, batch: int) -> Case:
    """Loss and gradients of one training batch, width 64, 4 blocks. The baseline is the Transformer."""

    def prepare() -> Contenders:
        task = CopyingTask(CopyingConfig(string_length=string_length))
        tokens, targets = task.sample(batch, torch.Generator().manual_seed(SEED))

        def run(kind: str) -> Callable[[], list[Tensor]]:
            model = build_model(ModelConfig(kind=kind, max_length=task.config.context))

            def compute() -> list[Tensor]:
                model.zero_grad()
                logits = model(tokens)
                F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NOT_SCORED).backward()
                return []  # two kinds of model have no result in common

            return compute

        return {"transformer": run("transformer"), kind: run(kind)}

    length = 2 * (string_length + 1)
    return Case(f"training step, {kind}, batch {batch}", length, batch * length, prepare)


def decoding_case(kind: str, prompt_length: int, steps: int, batch: int) -> Case:
    """Generation from the cached state against running everything again for every token, width 64, 4 blocks."""

    def prepare() -> Contenders:
        model = build_model(ModelConfig(kind=kind, max_length=prompt_length + steps))
        prompt = torch.randint(3, 29, (batch, prompt_length), generator=torch.Generator().manual_seed(SEED))

        @torch.no_grad()
        def again() -> list[Tensor]:
            tokens = prompt
            for _ in range(steps):
                tokens = torch.cat([tokens, model(tokens)[:, -1:].argmax(-1)], dim=1)
            return [tokens[:, prompt_length:].float()]

        return {"full re-runs": again, "cached": lambda: [model.generate(prompt, steps).float()]}

    return Case(f"decoding {steps} tokens, {kind}, batch {batch}", prompt_length, batch * steps, prepare, tolerance=0.0)


CASES: tuple[Case, ...] = (
    exact_case(8, 34, 192, eager=True, compiled=True),
    exact_case(8, 130, 192, eager=True, compiled=True),
    exact_case(8, 258, 192, eager=True, compiled=True),
    exact_case(2, 514, 192, eager=True, compiled=False),
    exact_case(4, 1026, 192, eager=False, compiled=False),
    exact_case(1, 4098, 192, eager=False, compiled=False),
    *(linear_case(8, length, 192) for length in (258, 1026, 4096)),
    *(linear_case(1, length, 192) for length in (2048, 65536)),
    *(step_case(kind, 64, 32) for kind in KINDS if kind != "transformer"),
    *(decoding_case(kind, 130, 128, 2) for kind in KINDS),
)
