"""Hops along a permutation, after "Depo" of Allen-Zhu's Physics of Language Models 4.1 (arXiv 2512.17351).

    BOS x_1 y_1 ... x_n y_n  k q  k q ...

The `n` edges of a permutation, `x` to `y`, in random order; then questions: which node comes `k` edges after `q`? The
model is to name it at `q`.

Ours differs: the permutation is one cycle, so that no walk of fewer than `n` edges comes back; names are single tokens;
all sequences have the same `n`; and no answer stands behind its question, where it would help with the next one.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from crn_lib.config import require, require_whole
from crn_lib.tasks.copying import BOS
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw
from crn_lib.tasks.scores import NOT_SCORED, draw_distinct


@dataclass(frozen=True)
class PermutationHopsConfig:
    """Which permutations are drawn, and what is asked of them.

    Attributes:
        nodes: of a permutation, n.
        names: for nodes; each sequence has `nodes` of them, all different.
        hops: the largest number of edges to follow; each question has one of `1 ... hops`, equally likely.
        queries: questions in a sequence.

    Raises:
        ConfigError: a value out of range, more nodes than names, or hops that go round the whole cycle.

    Example:
        >>> config = PermutationHopsConfig(nodes=8, names=16, hops=4, queries=8)
        >>> config.context, config.vocab_size, round(config.bits, 1)
        (33, 21, 12.3)
    """

    nodes: int = 8
    names: int = 16
    hops: int = 4
    queries: int = 8

    def __post_init__(self) -> None:
        require_whole("nodes", self.nodes, least=2)
        for name in ("names", "hops", "queries"):
            require_whole(name, getattr(self, name))
        require(self.nodes <= self.names, f"nodes must be at most names {self.names}; got {self.nodes}")
        require(
            self.hops < self.nodes,
            f"hops must be at most {self.nodes - 1}, for {self.nodes} lead back to the start; got {self.hops}",
        )

    @property
    def vocab_size(self) -> int:
        """Token ids a model of this task needs: BOS, the numbers of hops as themselves, and the names."""
        return 1 + self.hops + self.names

    @property
    def context(self) -> int:
        """Tokens in a sequence: BOS, and two an edge and two a question."""
        return 1 + 2 * (self.nodes + self.queries)

    @property
    def chance(self) -> float:
        """Questions right of one who names any other node of the sequence."""
        return 1 / (self.nodes - 1)

    @property
    def bits(self) -> float:
        """The least that a state must hold behind the edges: which of the `(n - 1)!` cycles it is."""
        return math.lgamma(self.nodes) / math.log(2)


PAPER = PermutationHopsConfig(nodes=225, names=225, hops=8, queries=16)
"""The size of the smaller published task, which has 3 to 225 nodes, of one or two tokens out of 50. The number of
questions is ours."""


class PermutationHopsTask(Task[PermutationHopsConfig]):
    """Draws cycles, asks for nodes further on, and scores answers, also by the number of hops.

    Example:
        >>> task = PermutationHopsTask(PermutationHopsConfig(nodes=2, names=2, hops=1, queries=1))
        >>> tokens, targets = task.sample(1, torch.Generator().manual_seed(0))
        >>> edge, question = tokens[0, 1:3].tolist(), tokens[0, 5:].tolist()  # of two nodes, one hop leads to the other
        >>> sorted([question[1], int(targets[0, -1])]) == sorted(edge)
        True
    """

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Fresh random problems: tokens and targets, `(batch, context)` each; targets at the questions' nodes only."""
        check_draw(batch, generator)
        config = self.config
        cycle = draw_distinct(batch, count=config.nodes, among=config.names, generator=generator) + config.hops + 1
        order = draw_distinct(batch, count=config.nodes, among=config.nodes, generator=generator)
        edges = torch.stack([cycle.gather(1, order), cycle.gather(1, (order + 1) % config.nodes)], dim=2)
        start = torch.randint(config.nodes, (batch, config.queries), generator=generator)
        hops = torch.randint(1, config.hops + 1, (batch, config.queries), generator=generator)
        questions = torch.stack([hops, cycle.gather(1, start)], dim=2)

        tokens = torch.cat([torch.full((batch, 1), BOS), edges.flatten(1), questions.flatten(1)], dim=1)
        targets = torch.full_like(tokens, NOT_SCORED)
        targets[:, 2 * config.nodes + 2 :: 2] = cycle.gather(1, (start + hops) % config.nodes)
        return tokens, targets

    def groups(self, tokens: Tensor) -> dict[str, Tensor]:
        """Places by the number of hops before them."""
        before = torch.nn.functional.pad(tokens[:, :-1], (1, 0), value=BOS)
        return {f"{hops}_hops": before == hops for hops in range(1, self.config.hops + 1)}


TASKS["permutation_hops"] = TaskKind(PermutationHopsConfig, PermutationHopsTask)
