"""CausalRN against Transformer: each at its best rate, open where the yardstick fails, edges and missing rows said."""

from dataclasses import fields
from typing import Any

import pytest

from crn_lib.experiments import comparison
from crn_lib.experiments.comparison import Side, compare
from crn_lib.models import ModelConfig
from crn_lib.sweeps import Run
from crn_lib.sweeps.stored_runs import Spread
from crn_lib.tasks import TASKS


def run(kind: str, rate: float, seed: int, copied_at: int | None, *, letters: float = 0.04, **changed: Any) -> Run:
    """A run of at most 400 steps of 10 strings, evaluated every 100, level at `letters` unless it copies."""
    steps = range(100, (copied_at or 400) + 1, 100)
    history = [
        {
            "step": step,
            "string_accuracy": float(step == copied_at),
            "character_accuracy": 1.0 if step == copied_at else letters,
        }
        for step in steps
    ]
    row = {
        "sweep": "fair",
        "model": vars(ModelConfig(kind=kind, width=8, blocks=2, max_length=34)),
        "task": {"string_length": 16},
        "training": {"learning_rate": rate, "steps": 400, "batch": 10},
        "seed": seed,
        "device": "cpu",
        "dtype": "float32",
        "character_accuracy": history[-1]["character_accuracy"],
    }
    return Run({**row, **changed}, history)


def side(kind: str, outcomes: dict[float, list[int | None]], **changed: Any) -> list[Run]:
    return [run(kind, rate, seed, at, **changed) for rate, own in outcomes.items() for seed, at in enumerate(own)]


OURS = side("causal_rn", {1e-3: [200, 200], 2e-3: [100, 200], 4e-3: [100, None]})


def test_the_best_rate_solves_most_seeds_then_takes_fewest_steps_then_has_most_letters() -> None:
    assert Side.of(OURS).best.rate == 2e-3 and not Side.of(OURS).at_edge
    assert Side.of(side("causal_rn", {1e-3: [300, 300], 2e-3: [100, None]})).best.rate == 1e-3
    assert Side.of(side("causal_rn", {1e-3: [300, 300, 300], 2e-3: [100]})).best.rate == 1e-3, "one may be lucky"
    level = side("lstm", {1e-3: [None], 2e-3: [None]}) + side("lstm", {4e-3: [None]}, letters=0.3)
    assert Side.of(level).best.rate == 4e-3 and Side.of(level).at_edge
    ties = Side.of(side("causal_rn", {1e-3: [100], 2e-3: [100], 4e-3: [100], 8e-3: [100]}))
    assert ties.best.rate == 2e-3, "of equals one that is not at an edge"
    assert not Side.of(side("causal_rn", {1e-3: [100]})).at_edge, "one rate alone was not chosen"


def test_the_words_say_seeds_interval_rate_edge_steps_and_strings() -> None:
    assert comparison.shape_of(OURS[0].row) == "2 × 8, batch 10"
    words = Side.of(OURS).words()
    assert words == "2 of 2 (34% to 100%) at rate 0.002 of 3, after 150 (100 to 200) steps, 1,500 strings"
    assert "0.001, an edge of 2," in Side.of(side("causal_rn", {1e-3: [100], 2e-3: [200]})).words()
    assert Side.of([]).words() == "no row yet"
    assert Side.of(side("lstm", {1e-3: [None]})).words() == "0 of 1 (0% to 79%) at rate 0.001"
    assert Side.of(OURS).best.strings == Spread(1500, 1000, 2000)


@pytest.mark.parametrize(
    ("theirs", "verdict", "ahead"),
    [
        ({1e-3: [300, 300]}, True, False),
        ({1e-3: [300, None]}, None, True),
        ({1e-3: [None, None]}, None, True),
        ({}, None, False),
    ],
)
def test_a_length_is_open_where_the_transformer_does_not_copy(
    theirs: dict[float, list[int | None]], verdict: bool | None, ahead: bool
) -> None:
    (found,) = compare([*OURS, *side("transformer", theirs)], [16])
    assert found.sweep == "fair"
    assert found.verdict is verdict and found.ahead is (ahead and bool(theirs))
    assert comparison.at_all_lengths([found]) is verdict
    word = {
        True: "16 letters: as well; ",
        None: "16 letters: open, the CausalRN ahead; " if ahead else "16 letters: open; ",
    }
    assert found.words().startswith(word[verdict])


def test_only_the_yardstick_copies_and_a_length_without_rows() -> None:
    runs = [*side("causal_rn", {1e-3: [None, None]}), *side("transformer", {1e-3: [100, 100]})]
    here, nowhere = compare(runs, [16, 32])
    assert here.verdict is False and nowhere.verdict is None and not nowhere.ahead
    assert comparison.at_all_lengths([here, nowhere]) is False
    assert "CausalRN no row yet; Transformer no row yet" in nowhere.words()
    assert [each.sweep for each in compare([], [16])] == [""]
    (neither,) = compare([*runs[:2], *side("transformer", {1e-3: [None, None]})], [16])
    assert neither.verdict is None and not neither.ahead and neither.words().startswith("16 letters: open; ")


def test_runs_of_two_sweeps_are_not_compared() -> None:
    with pytest.raises(ValueError, match="of one sweep; got fair, other"):
        compare([*OURS, run("transformer", 1e-3, 0, 100, sweep="other")], [16])


def test_the_circumstances_name_parameters_and_the_gpu() -> None:
    theirs = [run("transformer", 1e-3, 0, 100, device="cuda", processor="NVIDIA H200")]
    shapes, devices = comparison.circumstances_of(compare([*OURS, *theirs], [16]))
    ours, other = (comparison.parameters_of(each.row) for each in (OURS[0], theirs[0]))
    assert ours < other and shapes == f"2 blocks of width 8; parameters {ours:,} against {other:,}"
    assert devices == "NVIDIA H200, float32 and cpu, float32"
    assert comparison.device_of({"device": "cuda"}) == "cuda"
    assert comparison.device_of({"device": "cpu", "processor": "some CPU"}) == "cpu"


def test_sides_are_comparable_if_some_seed_was_run_at_the_same_rates_by_both() -> None:
    def comparable(ours: dict[float, list[int | None]], theirs: dict[float, list[int | None]]) -> bool:
        (found,) = compare(side("causal_rn", ours) + side("transformer", theirs), [16])
        return found.comparable

    assert comparable({1e-3: [100], 2e-3: [None]}, {1e-3: [None], 2e-3: [None]})
    assert comparable({1e-3: [100, 100], 2e-3: [None]}, {1e-3: [None], 2e-3: [None]})
    assert not comparable({1e-3: [100], 2e-3: [None]}, {1e-3: [None]})
    assert not comparable({1e-3: [100]}, {})


def test_tasks_and_models_that_differ_are_called_differently() -> None:
    tasks: list[dict[str, Any]] = [
        {"name": "recall", "pairs": 4, "vocab": 16},
        {"name": "recall", "pairs": 16, "vocab": 128},
        {"name": "ngram_lookup"},
        {"name": "ngram_lookup", "where": "prefix", "answer_length": 1, "n": 2},
        {"name": "regression", "dims": 5},
        {"name": "regression", "dims": 1},
        {"name": "text", "source": "bytes", "path": "some/where/poem.txt"},
        {"name": "sentences", "source": "sentiment", "path": "some/where/reviews.tar.gz"},
    ]
    words = [
        "recall, 4 pairs of 16", "recall, 16 pairs of 128", "ngram lookup, suffix",
        "ngram lookup, prefix, answer length 1", "regression", "regression, dims 1", "text, source bytes, poem.txt",
        "sentences",
    ]  # fmt: skip
    assert [comparison.task_of({"task": task}) for task in tasks] == words
    assert comparison.task_differences({"task": {"string_length": 8, "vocab": 4}}, ("string_length",)) == ["vocab 4"]
    named = [
        comparison.model_of({"model": vars(ModelConfig(**changed, width=8, max_length=34))}, {"causal_rn": "CausalRN"})
        for changed in (
            {}, {"norm": "none"}, {"short_conv": 3}, {"heads": 4}, {"positions": "none", "first_window": 4},
            {"expansion": 4, "activation": "softplus"},
        )
    ]  # fmt: skip
    assert named == [
        "CausalRN", "CausalRN, norm none", "CausalRN, short conv 3", "CausalRN, heads 4",
        "CausalRN, positions none, first window 4", "CausalRN, activation softplus, expansion 4",
    ]  # fmt: skip


def test_every_field_of_a_model_or_a_task_tells_two_apart() -> None:
    """But for those of the shape, which has a column of its own, and those that follow from the task; and where data
    with a name lie.
    """
    other = {
        "heads": 2, "norm": "none", "activation": "softplus", "post_norm": False, "expansion": 2, "positions": "none",
        "short_conv": 1, "first_window": 2,
    }  # fmt: skip
    assert set(vars(ModelConfig())) - set(other) == {*comparison.SAID_BY_THE_SHAPE, *comparison.OF_THE_TASK}
    shapes = [ModelConfig(**{name: value}) for name, value in other.items()]
    called = {comparison.model_of({"model": vars(shape)}, {"causal_rn": "CausalRN"}) for shape in shapes}
    assert len(called) == len(other) and "CausalRN" not in called
    for name, (config, _) in TASKS.items():
        plain = {field.name: field.default for field in fields(config)}  # type: ignore[arg-type]
        told = [field for field in plain if field != "path"]
        rows = [{"task": {"name": name, **plain, field: f"other than {plain[field]}"}} for field in told]
        called = {comparison.task_of(row) for row in rows}
        assert len(called) == len(told) and comparison.task_of({"task": {"name": name}}) not in called
