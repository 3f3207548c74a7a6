"""The named cases of `crn bench`. A new one is an entry in `CASES`, and in `GPU_CASES`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from crn_lib.bench.baselines import PLAIN
from crn_lib.bench.inputs import SEED, relation_inputs, with_gradients
from crn_lib.bench.own_settings import THE_LIBRARYS, TORCHS_OWN, measure_elsewhere
from crn_lib.bench.timing import Contender
from crn_lib.models import KINDS, ModelConfig, build_model
from crn_lib.ops import relation
from crn_lib.ops.normalise import layer_norm
from crn_lib.ops.prefix_sum import log_relation
from crn_lib.tasks import NOT_SCORED, CopyingConfig, CopyingTask

Contenders = Mapping[str, Contender | str]
"""What is timed, by name; a string says why a contender is not run here."""

MOST_BYTES = 5e9
"""Arrays of pairs that a contender may hold; with what comes on top, the process then stays under about 6 GB."""

HUGE_PAGES = ", 2 MiB pages"
"""Ends the name of a plain contender that runs with this library's settings for torch."""

PAIR_ARRAYS = {"eager": 4, "eager, masked before exp": 3, "eager, layer norm by hand": 7, "torch.compile": 1}
"""Arrays of `batch * length**2 * width` numbers that a contender holds at its peak, as measured; others hold none."""


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        name: what `--only` matches.
        length: tokens in a sequence, the x axis of the figure.
        elements: work a call does: causal elements for the exact relation, tokens elsewhere.
        prepare: makes the contenders; the first that runs is the truth and the baseline of the ratios.
        tolerance: largest relative difference that counts as agreement.
        exponentials: the fewest that any method needs, to compare with what this machine can do; 0 where unknown.
        traffic: the fewest bytes that any method must read and write; 0 where unknown.
        device: where the contenders work, `cpu` or `cuda`; nothing is put there before `prepare` is called.
    """

    name: str
    length: int
    elements: float
    prepare: Callable[[], Contenders]
    tolerance: float = 1e-4
    exponentials: float = 0.0
    traffic: float = 0.0
    device: str = "cpu"


def too_large(contender: str, batch: int, length: int, width: int, room: float) -> str:
    """Why a contender is not run, `""` where it is: its arrays of pairs, in float32, would not fit `room` bytes."""
    needed = 4.0 * PAIR_ARRAYS.get(contender.removesuffix(HUGE_PAGES), 0) * batch * length**2 * width
    return f"needs {needed / 1e9:.1f} GB" if needed > room else ""


def room_on(device: str) -> float:
    """Bytes that a contender's arrays of pairs may take."""
    if device == "cuda":
        torch.cuda.empty_cache()  # what the last case has left
        return 0.8 * torch.cuda.mem_get_info()[0]
    return min(MOST_BYTES, 0.8 * psutil.virtual_memory().available)


@cache
def compile_missing(device: str) -> str:
    """Why `torch.compile` cannot be used here, or an empty string. It wants a C++ compiler, on a GPU Triton."""
    try:
        torch.compile(lambda x: x + 1)(torch.ones(2, device=device))
    except Exception as error:  # whatever its many layers raise where a compiler or a header is missing
        return f"torch.compile does not work here ({type(error).__name__})"
    return ""


def exact_case(batch: int, length: int, width: int, device: str = "cpu") -> Case:
    """The exact relation, forward and backward, against plain torch and against attention of the same shape.

    On a CPU plain torch runs in processes of its own: as torch comes, and two of its forms also with larger pages.
    """

    def prepare() -> Contenders:
        a, b, gradient = relation_inputs(batch, length, width, device)

        def run(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], list[Tensor]]:
            return lambda: with_gradients(function, a, b, gradient)

        def attention(dtype: torch.dtype) -> Callable[[], list[Tensor]]:
            query, key, value = (x.detach()[:, None].to(dtype, copy=True).requires_grad_() for x in (a, b, a))
            upstream = gradient[:, None].to(dtype)

            def attend() -> list[Tensor]:
                F.scaled_dot_product_attention(query, key, value, is_causal=True).backward(upstream)
                return []  # attention is another function: there is nothing to compare

            return attend

        room = room_on(device)
        left_out = {name: too_large(name, batch, length, width, room) for name in PLAIN}
        left_out["torch.compile"] = left_out["torch.compile"] or compile_missing(device)
        ours: dict[str, Contender | str] = {
            "tiled": run(lambda a, b: relation(a, b, backend="tiled")),
            "fused": run(lambda a, b: relation(a, b, backend="fused")),
            "SDPA attention": attention(torch.float32),
        }
        if device != "cpu":
            plain = {name: why or run(PLAIN[name]()) for name, why in left_out.items()}
            return plain | ours | {"SDPA attention, bfloat16": attention(torch.bfloat16)}

        def elsewhere(names: Iterable[str], settings: Mapping[str, str]) -> Contenders:
            fitting = [name for name in names if not left_out[name]]
            measured = measure_elsewhere(fitting, batch, length, width, settings)
            return {name: left_out[name] or measured[name] for name in names}

        huge_pages = elsewhere(("eager", "torch.compile"), THE_LIBRARYS)
        return {
            **elsewhere(PLAIN, TORCHS_OWN),
            **{name + HUGE_PAGES: contender for name, contender in huge_pages.items()},
            **ours,
        }

    elements = batch * length * (length + 1) / 2 * width
    name = f"exact relation, batch {batch}, width {width}"
    return Case(name, length, elements, prepare, exponentials=elements, device=device)


def linear_case(batch: int, length: int, width: int, device: str = "cpu") -> Case:
    """The linear relation (`approx`), forward and backward, against torch's logcumsumexp route."""

    def prepare() -> Contenders:
        a, b, gradient = relation_inputs(batch, length, width, device)

        def by_logarithms(a: Tensor, b: Tensor) -> Tensor:
            return log_relation(layer_norm(a), layer_norm(b), causal=True).exp()

        return {
            "logcumsumexp": lambda: with_gradients(by_logarithms, a, b, gradient),
            "linear": lambda: with_gradients(lambda a, b: relation(a, b, norm="approx"), a, b, gradient),
        }

    name = f"linear relation, batch {batch}, width {width}"
    # Forward reads a and b and writes the result; backward reads a gradient and writes two: float32 all of them.
    traffic = 6 * 4 * batch * length * width
    return Case(name, length, batch * length, prepare, traffic=traffic, device=device)


def step_case(kind: str, string_length: int, batch: int, device: str = "cpu") -> Case:
    """Loss and gradients of one training batch, width 64, 4 blocks. The baseline is the Transformer."""

    def prepare() -> Contenders:
        task = CopyingTask(CopyingConfig(string_length=string_length))
        tokens, targets = (x.to(device) for x in task.sample(batch, torch.Generator().manual_seed(SEED)))

        def run(kind: str) -> Callable[[], list[Tensor]]:
            model = build_model(ModelConfig(kind=kind, max_length=task.config.context)).to(device)

            def compute() -> list[Tensor]:
                model.zero_grad()
                logits = model(tokens)
                F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NOT_SCORED).backward()
                return []  # two kinds of model have no result in common

            return compute

        return {"transformer": run("transformer"), kind: run(kind)}

    length = 2 * (string_length + 1)
    return Case(f"training step, {kind}, batch {batch}", length, batch * length, prepare, device=device)


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


PANEL_CASES = ("exact relation, batch 1, width 192", "linear relation, batch 1, width 192")
"""What the figure shows: one batch at every length, so that its points can be joined."""


def _shared_cases(device: str) -> tuple[Case, ...]:
    return (
        *(exact_case(1, length, 192, device) for length in (34, 130, 258, 514, 1026, 2050, 4098)),
        *(exact_case(8, length, 192, device) for length in (34, 130, 258)),
        exact_case(2, 514, 192, device),
        exact_case(4, 1026, 192, device),
        *(linear_case(1, length, 192, device) for length in (514, 1026, 2050, 4098, 16386, 65538)),
        *(linear_case(8, length, 192, device) for length in (258, 1026, 4098)),
        *(step_case(kind, 64, 32, device) for kind in KINDS if kind != "transformer"),
    )


CASES: tuple[Case, ...] = (*_shared_cases("cpu"), *(decoding_case(kind, 130, 128, 2) for kind in KINDS))

GPU_CASES = _shared_cases("cuda")
"""Without decoding: there the rounding of two routes may tell apart two tokens that are nearly as likely."""
