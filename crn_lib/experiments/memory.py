"""Bytes that every kind of model holds while it decodes, token by token, against what its formula says (lesson 05).

`crn measure memory` fills in the rows that `figures/data/memory.jsonl` still lacks.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch

from crn_lib.config import to_mapping
from crn_lib.experiments.verdicts import Verdict
from crn_lib.models import DecodingState, ModelConfig, build_model, make_blocks
from crn_lib.models.block import COUNTER, Block
from crn_lib.models.convolution import ConvolvedState
from crn_lib.models.transformer import KeyValueCache
from crn_lib.ops.pool import Pool
from crn_lib.provenance import circumstances
from crn_lib.sweeps import fill
from crn_lib.sweeps.fill import Measurement
from crn_lib.sweeps.rows import Row, key_of

WIDTH, BLOCKS, LONGEST = 192, 12, 4096
"""The paper's shape, and eight times its longest context."""

SEED = 0
FIRST_CAPACITY = 16
"""Rows that a pool has room for at the start; it doubles whenever it is full."""

ROWS = "memory.jsonl"

YOUNGER = {"expansion": 1, "positions": "learned", "short_conv": 0, "first_window": None, "input_width": None}
"""Fields of `ModelConfig` that came after the first rows, and their defaults."""


def capacity(rows: int) -> int:
    """Rows that a pool has room for after so many were added one by one."""
    room = FIRST_CAPACITY
    while room < rows:
        room *= 2
    return room


def sum_a_sender(exact: Sequence[int], factorised: Sequence[int], senders: Sequence[int]) -> Verdict:
    """Whether the exact form needs one sum for every sender, and a form that factorises one in all.

    Args:
        exact, factorised: ranks, that is sums needed, in the order of `senders`; either may be empty, not both.
    """
    if not senders or not (exact or factorised):
        return None
    return (not exact or list(exact) == list(senders)) and set(factorised) <= {1}


def grows_like_a_cache(pool: Iterable[int], cache: Iterable[int]) -> Verdict:
    """Whether a pool grows by equal bytes with every token and a KV cache by twice that, from the bytes a token."""
    ours, theirs = set(pool), set(cache)
    if not ours or not theirs:
        return None
    return len(ours) == 1 and min(ours) > 0 and theirs == {2 * min(ours)}


def predicted_bytes(config: ModelConfig, rows: int) -> int:
    """Bytes that a model holds for one sequence, in float32, by the formulas of its blocks.

    Args:
        rows: rows a growing memory has: the tokens so far, or `capacity` of them to count the spare ones too. The
            fixed states do not depend on it.
    """
    return sum(block.predicted_bytes(rows) for block in _blocks_in_shape(config)) + COUNTER


@lru_cache(maxsize=1)
def _blocks_in_shape(config: ModelConfig) -> list[Block]:
    """The blocks in their shape alone: nothing is drawn or stored. Kept, since lesson 05 asks at every length."""
    with torch.device("meta"):
        return make_blocks(config)


def bytes_used(state: DecodingState) -> int:
    """Bytes held without the rows that are allocated and still empty."""
    return state.nbytes - sum(pool.nbytes - pool.lengths.nbytes - pool.nbytes_used for pool in _pools(state))


def _pools(state: DecodingState) -> Iterator[Pool]:
    for block in state.blocks:
        block = block.inner if isinstance(block, ConvolvedState) else block
        if isinstance(block, KeyValueCache):
            yield from (block.keys, block.values)
        elif isinstance(block, Pool):
            yield block


def decode(config: ModelConfig, lengths: Iterable[int], *, device: str = "cpu") -> Iterator[dict[str, Any]]:
    """Write tokens one by one, and yield what is held whenever one of the lengths is reached.

    Args:
        config: a model whose `max_length` is at least the longest length.
        lengths: numbers of tokens, at least 1.

    Yields:
        One mapping a length, ascending: `kind`, `model` (its whole configuration), `length`, the measured bytes `used`
        and `allocated`, and `predicted` and `predicted_allocated` for the same two.
    """
    wanted = set(lengths)
    model = build_model(config, generator=torch.Generator().manual_seed(SEED)).to(device)
    state = model.init_state(1)
    token = torch.zeros(1, dtype=torch.long, device=device)
    for length in range(1, max(wanted) + 1):
        logits, state = model.step(token, state)
        token = logits.argmax(-1)
        if length in wanted:
            yield {
                "kind": config.kind,
                "model": to_mapping(config),
                "length": length,
                "used": bytes_used(state),
                "allocated": state.nbytes,
                "predicted": predicted_bytes(config, length),
                "predicted_allocated": predicted_bytes(config, capacity(length)),
            }


def marked_lengths(longest: int) -> list[int]:
    """Powers of two, what lies half-way between them, and one more token than each capacity: where a pool doubles."""
    powers = [2**k for k in range(longest.bit_length())]
    doubled = [n + 1 for n in powers if n >= FIRST_CAPACITY]
    return sorted({n for n in [*powers, *(3 * n // 2 for n in powers[1:]), *doubled] if n <= longest})


def memory_config(kind: str) -> ModelConfig:
    """The paper's shape of one kind."""
    return ModelConfig(kind=kind, width=WIDTH, blocks=BLOCKS, max_length=LONGEST)


def row_key(config: ModelConfig, length: int) -> str:
    """Of the row that says what this model holds after so many tokens.

    A field that is younger than the first rows counts only away from its default, so that their keys stay.
    """
    fields = to_mapping(config).items()
    model = {name: value for name, value in fields if name not in YOUNGER or value != YOUNGER[name]}
    return key_of(json.dumps([model, length], sort_keys=True))


def fill_rows(configs: Iterable[ModelConfig], lengths: Iterable[int], path: str | Path) -> list[Row]:
    """Decode what has no row yet, adding each row to the file at once.

    Returns:
        The rows asked for, kind after kind, each by length.
    """
    lengths = sorted(lengths)
    keys = {config: {row_key(config, length): length for length in lengths} for config in configs}

    def measure(config: ModelConfig, missing: set[str]) -> Iterator[Row]:
        shared = {"batch": 1, "seed": SEED, **circumstances("cpu", "float32")}
        for measured in decode(config, [keys[config][key] for key in missing]):
            yield {"key": row_key(config, measured["length"]), **measured, **shared}

    measurements = [Measurement([*found], partial(measure, config)) for config, found in keys.items()]
    rows = fill.fill_rows(path, measurements, what="model")
    return [rows[key] for found in keys.values() for key in found]
