"""What holds of every task: what it draws fits what it says of itself, and a seed brings it back."""

import itertools
import math
import re
import types

import pytest
import torch
import torch.nn.functional as F

from crn_lib.config import ConfigError
from crn_lib.tasks import (
    NOT_SCORED,
    TASKS,
    CopyingConfig,
    ImagesConfig,
    RegressionConfig,
    SentencesConfig,
    Task,
    TaskConfig,
    TextConfig,
    build_task,
    fuzzy_recall,
    hops,
    memorisation,
    ngram_lookup,
    permutation_hops,
    recall,
    regression,
    selective_copying,
)
from crn_lib.tasks.evaluate import teacher_forced
from crn_lib.tasks.scores import accuracies, draw_distinct
from tests.tasks.small_tasks import OTHER, SMALL

PUBLISHED = [
    *recall.PAPER,
    *recall.BASED,
    *fuzzy_recall.MAD,
    *fuzzy_recall.MAD_RECALL,
    *fuzzy_recall.MAD_NOISY_RECALL,
    *memorisation.MAD,
    *selective_copying.MAD,
    *ngram_lookup.PAPER,
    hops.PAPER,
    permutation_hops.PAPER,
]
READ = [ImagesConfig(), RegressionConfig(), SentencesConfig(source="glue/rte"), TextConfig()]
X = NOT_SCORED


def test_every_task_has_a_small_configuration():
    assert {*SMALL, *OTHER} == set(TASKS)


@pytest.mark.parametrize("kind", [kind.task for kind in TASKS.values()], ids=lambda kind: kind.__name__)
def test_a_task_that_keeps_problems_apart_says_so(kind):
    """By that word the best rate of real data is chosen on its validation part."""
    assert kind.keeps_some_apart == (kind.held_out is not Task.held_out)


@pytest.mark.parametrize("config", [*SMALL.values(), *READ], ids=lambda config: type(config).__name__)
@pytest.mark.parametrize(
    ("strings", "split", "says"),
    [
        (-1, "test", "strings must be a whole number >= 1; got -1"),
        (1, "tset", "split must be one of validation, test; got 'tset'"),
    ],
)
def test_every_task_refuses_to_hold_out_what_cannot_be(config, strings, split, says):
    """Also one whose problems are drawn: `None` would say that all was right."""
    with pytest.raises(ConfigError, match=f"^{re.escape(says)}$"):
        build_task(config).held_out(strings, split)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_with_scores_of_losses_says_by_which_its_runs_are_compared(name):
    """Else a rate would be chosen by the main metric, or by a score that no row has."""
    config, task = TASKS[name]
    assert (task.loss_metric is None) == (not hasattr(task, "loss_metrics"))
    assert task.loss_metric is None or task.loss_metric in task(config()).loss_metrics(torch.ones(3))


@pytest.mark.parametrize("config", [*SMALL.values(), *PUBLISHED], ids=repr)
def test_what_is_drawn_fits_the_configuration(config, generator):
    task = build_task(config)
    assert isinstance(config, TaskConfig) and isinstance(task, Task) and 0 < config.chance < 1
    tokens, targets = task.sample(3, generator)
    assert tokens.shape == targets.shape == (3, config.context)
    assert tokens.dtype == targets.dtype == torch.long
    scored = targets[targets != X]
    ids = torch.cat([tokens.flatten(), scored])
    assert len(scored) and ids.min() >= 0 and ids.max() < config.vocab_size
    found = task.metrics(targets, targets)
    assert task.main_metric in found and set(found.values()) == {1.0}
    assert set(task.metrics(torch.full_like(targets, -1), targets).values()) == {0.0}


@pytest.mark.parametrize("config", SMALL.values(), ids=repr)
def test_a_seed_brings_a_draw_back_and_the_next_one_is_another(config, generator):
    first, second = build_task(config).sample(20, generator), build_task(config).sample(20, generator)
    torch.rand(3)  # torch's own generator has no say
    again = build_task(config).sample(20, torch.Generator().manual_seed(0))
    for one, same, other in zip(first, again, second, strict=True):
        assert torch.equal(one, same) and not torch.equal(one, other)


@pytest.mark.parametrize("config", SMALL.values(), ids=repr)
def test_a_batch_and_a_generator_are_needed(config, generator):
    with pytest.raises(ConfigError, match=r"^batch must be a whole number >= 1; got 0$"):
        build_task(config).sample(0, generator)
    with pytest.raises(ConfigError, match=r"^generator must be a torch.Generator; got a NoneType$"):
        build_task(config).sample(1, None)


@pytest.mark.parametrize("name", [name for name in SMALL if name != "copying"])
def test_what_cannot_be_scored_is_refused(name, generator):
    task = build_task(SMALL[name])
    _, targets = task.sample(2, generator)
    wanted = f"must both be (batch, length); got (1, {targets.shape[1]}) and {tuple(targets.shape)}"
    with pytest.raises(ValueError, match=f"{re.escape(wanted)}$"):
        task.metrics(targets[:1], targets)
    with pytest.raises(ValueError, match=r"^targets must have a scored place; got none$"):
        task.metrics(targets, torch.full_like(targets, X))


def test_places_and_rows_are_counted_apart():
    targets = torch.tensor([[1, 2, X], [3, X, X], [X, X, X]])
    assert accuracies(torch.tensor([[1, 9, 9], [3, 9, 9], [9, 9, 9]]), targets) == (2 / 3, 1 / 2)


def test_different_numbers_are_drawn_in_every_order(generator):
    drawn = draw_distinct(3_000, count=2, among=3, generator=generator)
    found, counts = drawn.unique(dim=0, return_counts=True)
    assert found.tolist() == [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]
    assert counts.min() > 400


# --- groups ---


class AlwaysSays(torch.nn.Module):
    """A model that names one token at every place."""

    def __init__(self, token: int, vocab_size: int) -> None:
        super().__init__()
        self.head = torch.nn.Linear(1, 1)
        self.row = torch.nn.functional.one_hot(torch.tensor(token), vocab_size).float()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.row.expand(*tokens.shape, -1)


@pytest.mark.parametrize("name", ["hops", "permutation_hops"])
def test_groups_are_scored_each_by_itself(name, generator):
    config = SMALL[name]
    task = build_task(config)
    found = teacher_forced(AlwaysSays(config.vocab_size - 1, config.vocab_size), task, 50, generator)
    tokens, targets = task.sample(50, torch.Generator().manual_seed(0))
    counts: dict[str, list[bool]] = {}
    for row, answers in zip(tokens.tolist(), targets.tolist(), strict=True):
        for place, answer in enumerate(answers):
            if answer != X:
                hops = row[0] if name == "hops" else row[place - 1]
                for key in ("accuracy", f"accuracy_{hops}_hops"):
                    counts.setdefault(key, []).append(answer == config.vocab_size - 1)
    fewest = 0 if name == "hops" else 1
    assert set(found) == {"accuracy", *(f"accuracy_{hops}_hops" for hops in range(fewest, config.hops + 1))}
    assert found == pytest.approx({key: sum(right) / len(right) for key, right in counts.items()})


def test_a_group_that_was_not_drawn_has_no_score(generator):
    config = SMALL["hops"]
    found = teacher_forced(AlwaysSays(0, config.vocab_size), build_task(config), 1, generator)
    assert len(found) == 2 and "accuracy" in found


def test_a_task_without_groups_has_its_own_metrics_only(generator):
    for name in set(SMALL) - {"hops", "permutation_hops"}:
        task = build_task(SMALL[name])
        found = teacher_forced(AlwaysSays(0, SMALL[name].vocab_size), task, 2, generator)
        assert set(found) == set(task.metrics(*task.sample(1, generator)[1:] * 2))


# --- chance ---


def unsaid(config: TaskConfig, row: list[int]) -> list[int]:
    """At each place of a row of fuzzy recall the most frequent token of values, but for those of the value at hand."""
    named = []
    for place in range(len(row)):
        so_far = row[: place + 1]
        said = list(itertools.takewhile(lambda token: config.keys <= token < config.vocab - 1, so_far[::-1]))
        others = [token for token in range(config.keys, config.vocab - 1) if token not in said]
        named.append(max(others or said, key=so_far.count))
    return named


def guesses(name: str, tokens: torch.Tensor, targets: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """What one who knows the rules, and not where to look, names at every place."""
    config = SMALL[name]

    def any_of(choices: torch.Tensor) -> torch.Tensor:
        """One of each row's choices, at every place."""
        which = torch.randint(choices.shape[1], targets.shape, generator=generator)
        return choices.expand(len(targets), -1).gather(1, which)

    match name:
        case "copying":
            return torch.where(targets == 2, 2, any_of(torch.tensor([[3, 4, 5]])))
        case "fuzzy_recall":
            return torch.tensor([unsaid(config, row) for row in tokens.tolist()])
        case "hops":  # the word that is right most often for so many hops, at this place, of this letter
            place = torch.arange(config.context).expand_as(tokens)
            kept = (tokens[:, :1].expand_as(tokens), place, tokens)
            counts = torch.zeros(config.hops + 1, config.context, config.vocab_size, config.vocab_size)
            counts.index_put_((*kept, targets.clamp(min=0)), torch.ones(targets.shape), accumulate=True)
            return counts.argmax(dim=3)[kept]
        case "memorisation":
            return any_of(build_task(config).dictionary[None])
        case "ngram_lookup":
            strings = tokens[:, 1 : 1 + config.string_length].tolist()
            return torch.tensor([max(sorted(string), key=string.count) for string in strings])[:, None].expand_as(
                targets
            )
        case "permutation_hops":
            nodes = tokens[:, 1 : 2 * config.nodes : 2]
            others = torch.randint(1, config.nodes, targets.shape, generator=generator)
            rank = (nodes[:, None] == tokens[..., None]).int().argmax(dim=2)
            return nodes.gather(1, (rank + others) % config.nodes)
        case "recall":
            return any_of(tokens[:, 1 : 2 * config.pairs : 2])
        case "selective_copying":
            told = [[token for token in row if token < config.alphabet] for row in tokens.tolist()]
            return torch.tensor([max(sorted(each), key=each.count) for each in told])[:, None].expand_as(targets)
    raise AssertionError(f"no guesser for {name}")


@pytest.mark.parametrize("name", SMALL)
def test_chance_is_what_a_guesser_gets(name, generator):
    config = SMALL[name]
    task = build_task(config)
    tokens, targets = task.sample(4_000, generator)
    found = task.metrics(guesses(name, tokens, targets, generator), targets)
    assert found[task.main_metric] == pytest.approx(config.chance, abs=0.015)


def test_a_task_says_how_many_bits_a_state_needs_or_nothing_of_them():
    having = {name for name, config in SMALL.items() if hasattr(config, "bits")}
    assert having == set(SMALL) - {"hops"}
    assert all(0 <= SMALL[name].bits < math.inf for name in having)


def test_chance_of_a_look_up_is_that_of_the_most_frequent_letter():
    """Three times that of any letter: models which have learnt nothing else stand there."""
    one = [ngram_lookup.NgramLookupConfig(answer_length=1, where=where).chance for where in ngram_lookup.PLACES]
    most = torch.randint(26, (10_000, 32), generator=torch.Generator().manual_seed(5))
    expected = float(F.one_hot(most).sum(dim=1).amax(dim=1).double().mean()) / 32
    assert one == pytest.approx([expected, expected], abs=0.01) and expected > 3 / 26


def test_chance_of_copying_is_the_mean_over_its_lengths():
    assert CopyingConfig(string_length=1, vocab=4).chance == 1 / 4
    assert CopyingConfig(string_length=3, shortest=2, vocab=2).chance == (1 / 4 + 1 / 8) / 2
    assert CopyingConfig(string_length=1024).chance == 0.0, "less than a float can hold"


def test_published_parameters_can_be_found_in_their_module():
    modules = [recall, fuzzy_recall, memorisation, ngram_lookup, hops, permutation_hops, selective_copying]
    assert all(isinstance(module, types.ModuleType) for module in modules)
    assert [(config.length, config.pairs) for config in recall.PAPER] == [(64, 4), (128, 8), (256, 16), (512, 64)]
    assert {config.vocab for config in recall.PAPER} == {8192}
    assert (hops.PAPER.context, hops.PAPER.letters, hops.PAPER.hops) == (99, 4, 16)
    assert fuzzy_recall.MAD[0] == fuzzy_recall.FuzzyRecallConfig() and fuzzy_recall.MAD[0].vocab == 16
    assert [(config.vocab, config.length) for config in fuzzy_recall.MAD_RECALL] == [
        *((vocab + 1, 127) for vocab in (16, 32, 64, 128)),
        *((17, length - 1) for length in (256, 512, 1024)),
    ]
    assert [(config.vocab, config.length, config.noise) for config in fuzzy_recall.MAD_NOISY_RECALL] == [
        *((vocab + 1, 127, 0.2) for vocab in (32, 48, 80, 144)),
        *((33, length - 1, 0.2) for length in (256, 512, 1024)),
        *((33, 127, noise) for noise in (0.4, 0.6, 0.8)),
    ]
    assert {config.noise_vocab for config in fuzzy_recall.MAD_NOISY_RECALL} == {16}
    assert selective_copying.MAD[0] == selective_copying.SelectiveCopyingConfig()
    assert [(config.vocab, config.length, config.tokens) for config in selective_copying.MAD] == [
        *((vocab, 256, 16) for vocab in (16, 32, 64, 128)),
        *((16, length, 16) for length in (512, 1024)),
        *((16, 256, tokens) for tokens in (32, 64, 96)),
    ]
    assert [(config.dims, config.points, config.sparsity) for config in regression.PAPER] == [
        (20, 41, None),
        (20, 41, 3),
    ]
    assert memorisation.MAD[0] == memorisation.MemorisationConfig() and memorisation.MAD[0].context == 32
