"""The shape of a model: one frozen configuration for all kinds."""

from dataclasses import dataclass

import torch

from crn_lib.config import require, require_choice, require_whole, shown
from crn_lib.models.block import BLOCKS
from crn_lib.ops import ACTIVATIONS, FACTORISING_NORMS, NORMS, factorises
from crn_lib.ops.backends import float64_missing

RELATION_KINDS = ("causal_rn", "linear_rn")
POSITIONS = ("learned", "none", "random")
CENTRING = ("exact", "approx", "mean")
"""The norms that take the mean away: of a head of one column they leave nothing."""


@dataclass(frozen=True)
class ModelConfig:
    """A sequence model's kind and shape.

    Attributes:
        kind: one of the names in `BLOCKS`.
        vocab_size: number of token ids, and of what the head gives at each place; 29 is the paper's 26 letters, BOS,
            SEP and EOS. A model that reads vectors has as many classes, or 1 where it gives a number.
        input_width: of a model that reads vectors in place of tokens, how many numbers each has.
        width: size of the vector a position carries.
        blocks: number of blocks, one on top of another.
        max_length: the longest sequence.
        heads: equal parts the width is split into; each is normalised (relation) or attends (Transformers) by
            itself: `heads=2` with `norm="exact"` is a LayerNorm for each half. The recurrent kinds have one.
        norm: for relation networks, how the pre-activation is normalised: the paper's `exact` (the default of
            `causal_rn`), `approx` (the default of `linear_rn`) or `none`, or `rms`, `unit`, `variance` or `mean` (see
            `crn_lib/ops/relation.py`). `None` for every other kind.
        activation: for relation networks, the activation; `exp` by default. `None` for every other kind.
        post_norm: for relation networks, whether the relation's output is normalised.
        expansion: for relation networks, how many times the width a receiver and a sender have. With 4 a block has as
            many weights as a Transformer's. Heads split this inner width, and a pool holds rows of it.
        positions: `learned`, one embedding for each place; `none`, no embedding, so that order is known through
            causality alone; or `random`, the embeddings of `learned`, of which training gives each sequence a random
            subset in ascending order, so that places past the longest training sequence are trained too, of which there
            must be some (`TrainConfig`). Whatever reads a sequence without such a draw (evaluation, decoding) takes the
            first places, as `learned` does.
        short_conv: how many earlier places a short convolution before every block mixes into each place, 3 in Canon
            layers, fewer than `max_length`; 0 is no convolution (see `convolution.py`).
        first_window: the first block sees the last so many places only, each place's own among them; later blocks see
            all. `None` is no window; the widest is `max_length`. With `positions="none"` it stands in for embeddings:
            what a place is near to.

    Raises:
        ConfigError: a value out of range, or fields that contradict each other.

    Example:
        >>> ModelConfig(kind="causal_rn", width=32).norm, ModelConfig(kind="linear_rn").norm
        ('exact', 'approx')
    """

    kind: str = "causal_rn"
    vocab_size: int = 29
    width: int = 64
    blocks: int = 4
    max_length: int = 64
    heads: int = 1
    norm: str | None = None
    activation: str | None = None
    post_norm: bool = True
    expansion: int = 1
    positions: str = "learned"
    short_conv: int = 0
    first_window: int | None = None
    input_width: int | None = None

    def __post_init__(self) -> None:
        require_choice("kind", self.kind, tuple(BLOCKS))
        require_choice("positions", self.positions, POSITIONS)
        for name in ("vocab_size", "width", "blocks", "max_length", "heads", "expansion"):
            require_whole(name, getattr(self, name))
        require_whole("short_conv", self.short_conv, least=0)
        require(
            self.short_conv < self.max_length,
            f"short_conv must be less than max_length {self.max_length}; got {self.short_conv}",
        )
        if self.first_window is not None:
            require_whole("first_window", self.first_window)
            keeps_none = f"for kind {self.kind!r}, which keeps no places to choose from"
            require(BLOCKS[self.kind].windowed, f"first_window must be null {keeps_none}; got {self.first_window}")
            fits = self.first_window <= self.max_length
            require(fits, f"first_window must be at most max_length {self.max_length}; got {self.first_window}")
        if self.input_width is not None:
            require_whole("input_width", self.input_width)
        inner = f"{'' if self.expansion == 1 else 'the inner '}width {self.inner_width}"
        require(self.inner_width % self.heads == 0, f"heads must divide {inner}; got {self.heads}")
        if BLOCKS[self.kind].single_headed:
            require(self.heads == 1, f"heads must be 1 for kind {self.kind!r}, which has none; got {self.heads}")
        require(isinstance(self.post_norm, bool), f"post_norm must be true or false; got {self.post_norm!r}")
        if self.kind in RELATION_KINDS:
            self._complete_relation()
            return
        for name, default in (("norm", None), ("activation", None), ("post_norm", True), ("expansion", 1)):
            given = getattr(self, name)
            belongs = f"{name} belongs to {' and '.join(RELATION_KINDS)}, not to {self.kind!r}; got {shown(given)}"
            require(given == default, belongs)

    @property
    def inner_width(self) -> int:
        """Columns of a receiver and a sender; of the kinds that have none, the width."""
        return self.expansion * self.width

    def require_device(self, device: torch.device) -> None:
        """Raise `ConfigError` where such a model cannot be computed on the device, for want of float64 there."""
        if self.norm is not None and self.activation is not None:
            lacking = float64_missing(device, self.norm, self.activation, self.inner_width // self.heads)
            require(not lacking, lacking)

    def _complete_relation(self) -> None:
        if self.norm is None:
            object.__setattr__(self, "norm", "exact" if self.kind == "causal_rn" else "approx")
        if self.activation is None:
            object.__setattr__(self, "activation", "exp")
        require_choice("norm", self.norm, NORMS)
        require_choice("activation", self.activation, ACTIVATIONS)
        seen = self.inner_width > self.heads or self.norm not in CENTRING
        least = f"width must be at least {2 * self.heads} for norm {self.norm!r}, 2 a head"
        require(seen, f"{'' if self.expansion == 1 else 'expansion times '}{least}; got {self.inner_width}")
        require(
            self.kind != "linear_rn" or factorises(str(self.norm), str(self.activation)),
            f"linear_rn needs activation 'exp' with norm {' or '.join(map(repr, FACTORISING_NORMS))}, which factorise; "
            f"got activation {self.activation!r} with norm {self.norm!r} (use kind 'causal_rn')",
        )
