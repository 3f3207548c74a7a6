"""The frame that all models share: embed, blocks, head; whole sequences or token by token.

Reference for `positions="random"`: Ruoss et al. 2023, arXiv 2305.16843. Differs in: the embeddings are learned; only
training draws. Other than the first places, no ascending places are those of a longer sequence's start, whatever its
length up to `max_length`: decoding, which does not know the length, would not be `forward` token by token.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from crn_lib.config import require_whole, shown
from crn_lib.models.block import INIT_STD, Block, BlockState, init_linear
from crn_lib.models.config import ModelConfig
from crn_lib.ops.cpu.threads import is_small, kernels_only, kernels_only_behind
from crn_lib.ops.normalise import layer_norm


@dataclass
class DecodingState:
    """What a model holds between two tokens: one state a block, and each sequence's position.

    Example:
        >>> model = build_model(ModelConfig(kind="lstm", width=16, blocks=2))
        >>> state = model.init_state(batch=1)
        >>> before = state.nbytes
        >>> _, state = model.step(torch.tensor([0]), state)
        >>> state.nbytes == before, state.positions
        (True, tensor([1]))
    """

    blocks: list[BlockState]
    positions: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes held in tensors, spare rows of growing buffers included."""
        return self.positions.nbytes + sum(block.nbytes for block in self.blocks)


class SequenceModel(nn.Module):
    """Tokens `(batch, length)` to logits `(batch, length, vocab_size)`, causally.

    Token and position embeddings start as `N(0, 1)`; the head is a plain layer normalisation and a bias-free
    linear map. `position_embedding` is `None` with `positions="none"`. Made by `build_model`.

    With `input_width` its "tokens" are vectors, `(batch, length, input_width)`, which a linear map `read_in` takes the
    place of the embedding for: all but `generate` works with them.

    Example:
        >>> model = build_model(ModelConfig(kind="linear_rn", width=16, blocks=2, max_length=8))
        >>> tokens = torch.tensor([[0, 3, 4, 1]])
        >>> logits, state = model.prefill(tokens)  # what follows the last token, and what to remember
        >>> torch.allclose(logits, model(tokens)[:, -1], atol=1e-5)
        True
        >>> model.generate(tokens, steps=3).shape
        torch.Size([1, 3])
    """

    def __init__(self, config: ModelConfig, blocks: list[Block]) -> None:
        super().__init__()
        self.config = config
        if config.input_width is None:
            self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        else:
            self.read_in = nn.Linear(config.input_width, config.width)
        with_places = config.positions != "none"
        self.position_embedding = nn.Embedding(config.max_length, config.width) if with_places else None
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Linear(config.width, config.vocab_size, bias=False)

    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw all parameters anew from the generator (on the CPU)."""
        if self.config.input_width is None:
            nn.init.normal_(self.token_embedding.weight, generator=generator)
        else:  # coordinates of variance 1 become a row as large as a token's
            init_linear(self.read_in, generator, std=1 / math.sqrt(self.config.input_width))
        if self.position_embedding is not None:
            nn.init.normal_(self.position_embedding.weight, generator=generator)
        for block in self._blocks():
            block.reset_parameters(generator)
        nn.init.normal_(self.head.weight, std=INIT_STD, generator=generator)

    def draw_positions(self, batch: int, length: int, generator: torch.Generator) -> Tensor | None:
        """For each sequence a random subset of the places, ascending, `(batch, length)`, for `forward`.

        `None`, and nothing drawn, unless the model has `positions="random"`.
        """
        if self.config.positions != "random":
            return None
        order = torch.rand(batch, self.config.max_length, generator=generator).argsort(dim=1)
        return order[:, :length].sort(dim=1).values

    def forward(self, tokens: Tensor, positions: Tensor | None = None, at: Tensor | None = None) -> Tensor:
        """Logits at every position, or at those asked for.

        Args:
            tokens: token ids, `(batch, length)`, `1 <= length <= max_length`, or vectors. Ids are int32 or int64, as
                torch looks them up; what is narrower is refused, and not widened: it may be a mask, or have overflowed.
            positions: the place of each token, `(batch, length)`; the first places where they are not given.
            at: where logits are wanted, true or false, `(batch, length)`. With a large vocabulary the head costs more
                than the blocks, and most tasks ask little of most places.

        Returns:
            `(batch, length, vocab_size)`; position `i` sees tokens `0 ... i` only. With `at`, `(asked, vocab_size)`:
            one row for each place asked for, sequence after sequence.

        Raises:
            ValueError: a wrong shape or type, too long a sequence, an id outside the vocabulary, a place outside the
                model.
        """
        self._check_tokens(tokens, dimensions=2)
        if positions is not None:
            self._check_positions(positions, tokens)
        if at is not None and (not isinstance(at, Tensor) or at.shape != tokens.shape[:2] or at.dtype != torch.bool):
            found = f"{at.dtype} of shape {tuple(at.shape)}" if isinstance(at, Tensor) else f"a {type(at).__name__}"
            raise ValueError(f"at must be true or false for each of the {tuple(tokens.shape[:2])} places; got {found}")
        if torch.compiler.is_compiling() or not is_small(tokens, self.config.width):
            return self._forward(tokens, positions, at)
        with kernels_only():
            logits = self._forward(tokens, positions, at)
        return kernels_only_behind(logits)

    def init_state(self, batch: int) -> DecodingState:
        """The state before the first token, on the model's own device."""
        require_whole("batch", batch)
        weight = self.head.weight
        states = [block.init_state(batch, weight.device, weight.dtype) for block in self._blocks()]
        return DecodingState(states, torch.zeros(batch, dtype=torch.long, device=weight.device))

    @torch.no_grad()
    def prefill(self, tokens: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, DecodingState]:
        """Read whole prompts at once and leave the state as `step` over every token would.

        Args:
            tokens: `(batch, length)`, prompts padded on the right.
            lengths: `(batch,)`, how many tokens of each row are real; all of them where it is not given.

        Returns:
            The logits after each prompt's last token, `(batch, vocab_size)`, and the state.

        Raises:
            ValueError: tokens that `forward` refuses; lengths that do not fit them.
        """
        self._check_tokens(tokens, dimensions=2)
        batch, length = tokens.shape[:2]
        if lengths is not None:
            lengths = _checked_lengths("lengths", lengths, tokens)
        state = self.init_state(batch)
        ends = torch.full((batch,), length, device=tokens.device) if lengths is None else lengths
        with kernels_only(is_small(tokens, self.config.width)):
            x = self._embed(tokens)
            for block, held in zip(self.blocks, state.blocks, strict=True):
                x = block(x, held, lengths)
            state.positions = ends.clone()
            return self._logits(x[torch.arange(batch, device=x.device), ends - 1]), state

    @torch.no_grad()
    def step(self, token: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState]:
        """One more token for every sequence.

        Args:
            token: ids, `(batch,)`, or vectors, `(batch, input_width)`.
            state: from `init_state`, `prefill` or an earlier `step`; it is updated in place.

        Returns:
            Logits `(batch, vocab_size)` for what follows, and the same state.
        """
        self._check_tokens(token, dimensions=1)
        if len(token) != len(state.positions):
            raise ValueError(f"token must hold {len(state.positions)} ids, one a sequence; got {len(token)}")
        if int(state.positions.max()) >= self.config.max_length:
            raise ValueError(f"the model's max_length of {self.config.max_length} positions is used up")
        with kernels_only(is_small(token[:, None], self.config.width)):
            return self._step(token, state), state

    @torch.no_grad()
    def generate(self, prompt: Tensor, steps: int, prompt_lengths: Tensor | None = None) -> Tensor:
        """The most probable continuation, token by token from the state, never a full re-run.

        Args:
            prompt: ids, `(batch, length)`, padded on the right where `prompt_lengths` says so.
            steps: how many tokens to add.
            prompt_lengths: `(batch,)`, the prompts' own lengths; all equal where it is not given.

        Returns:
            `(batch, steps)`: the new tokens only.

        Raises:
            ValueError: the prompt does not fit the model, or prompt and steps together exceed `max_length`; or the
                model reads vectors, which no logits are.
        """
        if self.config.input_width is not None:
            raise ValueError("a model that reads vectors cannot read what it writes: there is nothing to generate")
        self._check_tokens(prompt, dimensions=2)
        require_whole("steps", steps)
        if prompt_lengths is not None:
            prompt_lengths = _checked_lengths("prompt_lengths", prompt_lengths, prompt)
        longest = prompt.shape[1] if prompt_lengths is None else int(prompt_lengths.max())
        if longest + steps - 1 > self.config.max_length:
            raise ValueError(
                f"steps must be from 1 to {self.config.max_length - longest + 1}, since a prompt of {longest} tokens "
                f"and what follows must fit max_length {self.config.max_length}; got {steps}"
            )
        logits, state = self.prefill(prompt, prompt_lengths)
        chosen = [logits.argmax(dim=-1)]
        with kernels_only(is_small(prompt[:, :1], self.config.width)):
            for _ in range(steps - 1):
                chosen.append(self._step(chosen[-1], state).argmax(dim=-1))
        return torch.stack(chosen, dim=1)

    def state_bytes(self, length: int) -> int:
        """Bytes the model holds for one sequence of so many tokens, measured on a state of that length."""
        require_whole("length", length, most=self.config.max_length)
        weight, numbers = self.head.weight, self.config.input_width
        tokens = torch.zeros(1, length, dtype=torch.long, device=weight.device)
        if numbers is not None:
            tokens = weight.new_zeros(1, length, numbers)
        return self.prefill(tokens)[1].nbytes

    def summary(self) -> str:
        """A table of the parameters by part, ready to print."""
        config = self.config
        place = self.position_embedding
        places = [] if place is None else [("position embedding", f"{config.max_length} x {config.width}", place)]
        read: tuple[str, str, nn.Module] = (
            ("token embedding", f"{config.vocab_size} x {config.width}", self.token_embedding)
            if config.input_width is None
            else ("read-in", f"{config.input_width} x {config.width}", self.read_in)
        )
        parts: list[tuple[str, str, nn.Module]] = [
            read,
            *places,
            (f"{config.blocks} blocks", f"{_count(self.blocks[0]):,} each", self.blocks),
            ("head", f"{config.width} x {config.vocab_size}", self.head),
        ]
        lines = [f"{config.kind}: {config.blocks} blocks of width {config.width}, up to {config.max_length} tokens"]
        lines += [f"  {name:<20}{shape:>18}{_count(module):>14,}" for name, shape, module in parts]
        lines.append(f"  {'parameters':<20}{'':>18}{_count(self):>14,}")
        return "\n".join(lines)

    def _forward(self, tokens: Tensor, positions: Tensor | None, at: Tensor | None) -> Tensor:
        x = self._embed(tokens, positions)
        for block in self.blocks:
            x = block(x)
        return self._logits(x if at is None else x[at])

    def _step(self, token: Tensor, state: DecodingState) -> Tensor:
        """`step` without its checks, which take as long as a block does."""
        x = self._embed(token, state.positions)
        for block, held in zip(self._blocks(), state.blocks, strict=True):
            x = block.step(x, held)
        state.positions = state.positions + 1
        return self._logits(x)

    def _embed(self, tokens: Tensor, positions: Tensor | None = None) -> Tensor:
        """Of whole sequences without `positions`, each token in the place where it stands."""
        if self.config.input_width is None:
            x: Tensor = self.token_embedding(tokens)
        else:
            x = self.read_in(tokens.to(self.read_in.weight.dtype))
        if self.position_embedding is None:
            return x
        if positions is None:
            return x + self.position_embedding.weight[: tokens.shape[1]]
        placed: Tensor = x + self.position_embedding(positions)
        return placed

    def _logits(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(layer_norm(x))
        return logits

    def _blocks(self) -> list[Block]:
        return list(self.blocks)  # type: ignore[arg-type]

    def _check_tokens(self, tokens: Tensor, dimensions: int) -> None:
        if self.config.input_width is not None:
            self._check_vectors(tokens, dimensions + 1)
            return
        shape = "(batch, length)" if dimensions == 2 else "(batch,)"
        found = f"shape {tuple(tokens.shape)}" if isinstance(tokens, Tensor) else f"a {type(tokens).__name__}"
        if not isinstance(tokens, Tensor) or tokens.ndim != dimensions or 0 in tokens.shape:
            raise ValueError(f"tokens must be {shape} and not empty; got {found}")
        _require_whole_numbers("tokens", tokens)
        self._check_length(tokens, dimensions)
        lowest, highest = int(tokens.min()), int(tokens.max())
        if lowest < 0 or highest >= self.config.vocab_size:
            wrong = lowest if lowest < 0 else highest
            raise ValueError(f"token ids must be from 0 to {self.config.vocab_size - 1}; got {wrong}")

    def _check_vectors(self, vectors: Tensor, dimensions: int) -> None:
        numbers = self.config.input_width
        shape = f"(batch, length, {numbers})" if dimensions == 3 else f"(batch, {numbers})"
        found = f"shape {tuple(vectors.shape)}" if isinstance(vectors, Tensor) else f"a {type(vectors).__name__}"
        fits = isinstance(vectors, Tensor) and vectors.ndim == dimensions and vectors.shape[-1] == numbers
        if not fits or 0 in vectors.shape:
            raise ValueError(f"vectors must be {shape} and not empty; got {found}")
        if not vectors.dtype.is_floating_point:
            raise ValueError(f"vectors must hold floating-point numbers; got {vectors.dtype}")
        self._check_length(vectors, dimensions - 1)

    def _check_length(self, tokens: Tensor, dimensions: int) -> None:
        if dimensions == 2 and tokens.shape[1] > self.config.max_length:
            raise ValueError(
                f"a sequence of {tokens.shape[1]} tokens is longer than the model's max_length {self.config.max_length}"
            )

    def _check_positions(self, positions: Tensor, tokens: Tensor) -> None:
        if self.position_embedding is None:
            raise ValueError('the model has positions "none": no token can be given a place')
        _require_whole_numbers("positions", positions)
        if positions.shape != tokens.shape[:2]:
            raise ValueError(f"positions must be {tuple(tokens.shape[:2])} as the tokens; got {tuple(positions.shape)}")
        lowest, highest = int(positions.min()), int(positions.max())
        if lowest < 0 or highest >= self.config.max_length:
            wrong = lowest if lowest < 0 else highest
            raise ValueError(f"positions must be from 0 to {self.config.max_length - 1}; got {wrong}")


def _require_whole_numbers(name: str, numbers: object) -> None:
    """Raise `ValueError` unless it is a tensor of a type that torch looks rows up by."""
    if not isinstance(numbers, Tensor) or numbers.dtype not in (torch.int32, torch.int64):
        found = numbers.dtype if isinstance(numbers, Tensor) else f"a {type(numbers).__name__}"
        raise ValueError(f"{name} must be a tensor of whole numbers, int32 or int64; got {found}")


def _checked_lengths(name: str, lengths: Tensor, tokens: Tensor) -> Tensor:
    """The lengths as int64, one a sequence of the tokens, or a `ValueError`."""
    _require_whole_numbers(name, lengths)
    batch, length = tokens.shape[:2]
    if lengths.shape != (batch,) or int(lengths.min()) < 1 or int(lengths.max()) > length:
        raise ValueError(f"{name} must be {batch} whole numbers from 1 to {length}; got {shown(lengths.tolist())}")
    return lengths.long()


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
