"""The Transformer baseline: pre-normalised blocks of causal attention and a GELU MLP (GPT-2's layout).

Attention is torch's own `scaled_dot_product_attention`.

Reference: Radford et al. 2019 (GPT-2); `src/model.py` of github.com/openai/gpt-2. Differs in: layer normalisation
without gain and bias, as in the CausalRN, so that the two differ in nothing but the block; the exact GELU, not its tanh
form; a head of its own, not the token embedding; embeddings start at 1, not at 0.02 and 0.01; no dropout.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crn_lib.models.block import COUNTER, NUMBER, Block, BlockState, init_linear, kind, residual_std
from crn_lib.models.config import ModelConfig
from crn_lib.ops.normalise import layer_norm
from crn_lib.ops.pool import Pool
from crn_lib.ops.window import in_window, pool_of

MLP_RATIO = 4


@dataclass
class KeyValueCache(BlockState):
    """Keys and values of every position so far, or in the window: two pools, as the CausalRN has one."""

    keys: Pool
    values: Pool


@kind("transformer")
class TransformerBlock(Block):
    """`x + W_o attention(LN(x))`, then `x + W_2 gelu(W_1 LN(x))`."""

    windowed = True

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.width
        self.query_key_value = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.expand = nn.Linear(width, MLP_RATIO * width)
        self.contract = nn.Linear(MLP_RATIO * width, width)
        self.width, self.blocks, self.heads = width, config.blocks, config.heads
        self.window = config.first_window

    def forward(self, x: Tensor, state: BlockState | None = None, lengths: Tensor | None = None) -> Tensor:
        query, key, value = self.query_key_value(layer_norm(x)).chunk(3, dim=-1)
        if state is not None:
            self._remember(key, value, state, lengths)
        mixed = self.mix(*(self._split(part) for part in (query, key, value)))
        x = x + self.projection(mixed.transpose(1, 2).flatten(-2))
        return x + self._mlp(x)

    def init_state(self, batch: int, device: torch.device, dtype: torch.dtype) -> BlockState:
        return KeyValueCache(*(pool_of(batch, self.width, self.window, device=device, dtype=dtype) for _ in range(2)))

    def predicted_bytes(self, rows: int) -> int:
        rows = rows if self.window is None else self.window
        return 2 * (rows * self.width * NUMBER + COUNTER)

    def step(self, x: Tensor, state: BlockState) -> Tensor:
        query, key, value = self.query_key_value(layer_norm(x)).chunk(3, dim=-1)
        mixed = self.mix_step(query, key, value, state)
        x = x + self.projection(mixed)
        return x + self._mlp(x)

    def mix(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Causal attention over all positions, `(batch, heads, length, head width)` in and out."""
        if self.window is None:
            return F.scaled_dot_product_attention(query, key, value, is_causal=True)
        seen = in_window(query.shape[2], self.window, query.device)
        return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)

    def mix_step(self, query: Tensor, key: Tensor, value: Tensor, state: BlockState) -> Tensor:
        """Attention of the newest position, `(batch, width)` in and out; adds its key and value to the cache."""
        cache = cast(KeyValueCache, state)
        cache.keys.append(key)
        cache.values.append(value)
        return self.read(self._split(query[:, None]), cache).flatten(1)

    def read(self, query: Tensor, cache: KeyValueCache) -> Tensor:
        """Attention of one position to all in the cache, `(batch, heads, 1, head width)` in and out."""
        visible = cache.keys.visible[:, None, None, :] if cache.keys.ragged else None
        keys, values = self._split(cache.keys.rows), self._split(cache.values.rows)
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=visible)

    def reset_parameters(self, generator: torch.Generator) -> None:
        init_linear(self.query_key_value, generator)
        init_linear(self.expand, generator)
        for layer in (self.projection, self.contract):
            init_linear(layer, generator, residual_std(self.blocks, branches=2))

    def _remember(self, key: Tensor, value: Tensor, state: BlockState, lengths: Tensor | None) -> None:
        cache = cast(KeyValueCache, state)
        if lengths is None:
            lengths = torch.full((key.shape[0],), key.shape[1], device=key.device)
        cache.keys.fill(key, lengths)
        cache.values.fill(value, lengths)

    def _split(self, x: Tensor) -> Tensor:
        """`(batch, length, width)` to `(batch, heads, length, width / heads)`."""
        split: Tensor = x.unflatten(-1, (self.heads, -1))
        return split.transpose(1, 2)

    def _mlp(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.contract(F.gelu(self.expand(layer_norm(x))))
        return hidden
