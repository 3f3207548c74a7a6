"""Ablations: runs by variant, what is said of them, and the configuration of one run of the grid."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crn_lib.experiments import GRID, Variant, ablation_cells, ablation_config, indispensable
from crn_lib.experiments.ablations import (
    AUTHORS_ACTIVATIONS,
    GRID_ACTIVATIONS,
    GRID_LENGTHS,
    LONG_GRID,
    Finding,
    at_best_rates,
    over_lengths,
)
from crn_lib.sweeps import Run, append_row, load_sweep, read_runs
from tests.experiments.ablation_cases import STEPS, made_up_grid, made_up_run

EXP, GELU = Variant("exact", True, "exp"), Variant("exact", True, "gelu")


def only_exact_exp(variant: Variant, seed: int) -> int | None:
    return 100 + 50 * seed if variant == EXP else None


def finding(runs: list[Run], has_it: Callable[[Variant], bool] = lambda v: v.activation == "exp") -> Finding:
    return indispensable(ablation_cells(runs), "exp", has_it, 16)


def test_the_grid_is_the_sweeps() -> None:
    planned = load_sweep("ablations").configs
    assert {
        (Variant(str(c.model.norm), c.model.post_norm, str(c.model.activation)), c.task.string_length) for c in planned
    } == {(variant, length) for variant in GRID for length in GRID_LENGTHS}


def test_the_authors_grid_is_part_of_ours_and_every_variant_has_a_name() -> None:
    assert set(AUTHORS_ACTIVATIONS) < set(GRID_ACTIVATIONS) == {variant.activation for variant in GRID}
    assert str(Variant("exact", False, "identity", heads=2)) == "exact in 2 parts · identity"
    assert [str(variant) for variant in GRID[:6]] == [
        f"exact + post-norm · {name}" for name in ("exp", "ReLU", "squared ReLU", "GELU", "ELU", "softplus")
    ]


def test_a_cell_says_how_many_seeds_copied_when_and_how_far() -> None:
    runs = [made_up_run(GELU, 16, 2, None, letters=0.8), made_up_run(GELU, 16, 0, 300), made_up_run(GELU, 16, 1, 150)]
    cell = ablation_cells(runs)[GELU, 16]
    assert (cell.seeds, cell.solved, cell.always, cell.steps) == ((0, 1, 2), 2, False, [300, 150])
    letters = cell.spread("character_accuracy")
    assert letters and (letters.median, letters.low, letters.high) == (1.0, 0.8, 1.0)
    assert cell.words() == "exact + post-norm · GELU: 2 of 3"


def test_a_run_that_diverged_is_a_seed_that_did_not_copy_and_has_no_final_number() -> None:
    cell = ablation_cells([made_up_run(EXP, 16, 0, None, diverged=True)])[EXP, 16]
    assert (cell.solved, cell.diverged, len(cell.runs), cell.spread("character_accuracy")) == (0, 1, 1, None)


def test_runs_of_two_budgets_or_twice_the_same_seed_are_not_one_cell() -> None:
    longer = made_up_run(EXP, 16, 1, None)
    longer.row["training"]["steps"] = 2 * STEPS
    for other in (longer, made_up_run(EXP, 16, 0, None)):
        with pytest.raises(ValueError, match=r"exact \+ post-norm · exp at 16 letters must differ in their seed"):
            ablation_cells([made_up_run(EXP, 16, 0, 100), other])


def test_borne_out_only_if_nothing_without_it_copies_all_are_there_and_something_with_it_always_does() -> None:
    runs = made_up_grid(only_exact_exp)
    assert finding(runs).outcome == "borne out"
    assert finding([run for run in runs if Variant.of(run.row) != GELU]).outcome == "open"
    assert finding(made_up_grid(lambda v, seed: 100 if v == EXP and seed else None)).outcome == "open"
    assert finding([]).outcome == "open" and "no run yet" in finding([]).words()


def test_one_variant_that_always_copies_refutes_and_one_that_sometimes_does_is_mixed() -> None:
    refuted = finding(made_up_grid(lambda v, seed: 100 if v in (EXP, GELU) else None))
    assert refuted.outcome == "refuted" and [cell.variant for cell in refuted.counterexamples] == [GELU]
    assert len(refuted.having) == 6 and len(refuted.lacking) == 30
    assert refuted.words() == (
        "16 letters: refuted. With exp, 1 of 6 variants copied in every seed (2 of 12 runs); without it, 1 of 30 "
        "variants copied in every seed (2 of 60 runs); always: exact + post-norm · GELU: 2 of 2. 2 seeds a variant."
    )
    mixed = finding(made_up_grid(lambda v, seed: 100 if v == EXP or (v == GELU and seed == 1) else None))
    assert mixed.outcome == "mixed" and "sometimes: exact + post-norm · GELU: 1 of 2" in mixed.words()
    norm = finding(made_up_grid(only_exact_exp), lambda v: v.norm != "none")
    assert norm.outcome == "borne out" and "without it, 0 of 12 variants" in norm.words()


def level(runs: list[Run]) -> list[Run]:
    """The same, each run that does not copy level from its first evaluation on; as made up they rise to the end."""
    for run in runs:
        for point in run.history if run.first() is None else []:
            point["character_accuracy"] = 0.4
    return runs


def test_a_finding_on_runs_that_were_still_rising_is_open() -> None:
    rising, ended = finding(made_up_grid(only_exact_exp)), finding(level(made_up_grid(only_exact_exp)))
    assert rising.outcome == ended.outcome == "borne out"
    assert (rising.verdict, ended.verdict, ended.unfinished) == (None, True, 0)
    assert rising.unfinished == 60 and "0 of 60 runs without exp copy (60 were still rising)" in rising.short()
    assert ended.short() == "16 letters: 0 of 60 runs without exp copy, 2 of 12 with it"
    assert (
        finding([made_up_run(GELU, 16, 0, 100)]).short().startswith("16 letters: 1 of 1 runs without exp copy, 0 of 0 ")
    )
    assert (
        finding([]).verdict is None
        and finding([]).seeds == "no run yet"
        and finding([]).short() == "16 letters: no run yet"
    )
    assert finding([made_up_run(EXP, 16, 0, 100)]).short() == "16 letters: 0 of 0 runs without exp copy, 1 of 1 with it"
    refuted = finding(made_up_grid(lambda v, seed: 100 if v in (EXP, GELU) else None))
    assert refuted.verdict is False and refuted.short().endswith(
        "the best without it, exact + post-norm · GELU: 2 of 2 (34% to 100%) seeds"
    )


def test_what_the_authors_did_not_try_does_not_refute_them() -> None:
    square = Variant("exact", True, "squared_relu")
    cells = ablation_cells(level(made_up_grid(lambda v, seed: 100 if v in (EXP, square) else None)))
    by_all, by_theirs = (
        indispensable(cells, "exp", lambda v: v.activation == "exp", 16, *names)
        for names in ((), (AUTHORS_ACTIVATIONS,))
    )
    assert (by_all.verdict, by_theirs.verdict) == (False, True)


def test_a_refutation_counts_only_where_copying_tells_something() -> None:
    refuted = finding(made_up_grid(lambda v, seed: 100 if v in (EXP, GELU) else None))
    borne_out = finding(level(made_up_grid(only_exact_exp)))
    assert over_lengths([refuted, borne_out], [16]) is False
    assert over_lengths([refuted], []) is None and over_lengths([borne_out], []) is True
    assert over_lengths([borne_out, finding([])], [16]) is None and over_lengths([], []) is None


def test_a_variant_is_judged_at_its_best_rate() -> None:
    def at(rate: float, variant: Variant, seed: int, steps: int | None) -> Run:
        run = made_up_run(variant, 64, seed, steps)
        run.row["training"]["learning_rate"] = rate
        return run

    runs = [at(1e-3, GELU, 0, 300), at(1e-3, GELU, 1, 200)]
    worse = [at(2e-3, GELU, 0, 100), at(2e-3, GELU, 1, None)]
    other = at(2e-3, EXP, 0, 50)
    assert at_best_rates([*worse, *runs, other]) == [*runs, other]
    found = indispensable(
        ablation_cells(at_best_rates([*worse, *runs])), "exp", lambda v: v.activation == "exp", 64, variants=LONG_GRID
    )
    assert found.outcome == "refuted" and found.missing == 4


def test_the_long_grid_is_that_of_its_sweep() -> None:
    planned = load_sweep("long_ablations").configs
    assert {
        (Variant(str(c.model.norm), c.model.post_norm, str(c.model.activation)), c.copying.string_length)
        for c in planned
    } == {(variant, length) for variant in LONG_GRID for length in (64, 128)}


def test_the_words_name_seeds_and_what_is_missing() -> None:
    runs = made_up_grid(only_exact_exp)[:-1]
    words = indispensable(ablation_cells(runs), "exp", lambda v: v.activation == "exp", 32).words()
    assert "1 to 2 seeds a variant." in words and "missing" not in words
    assert finding([made_up_run(EXP, 16, 0, 100)]).words() == (
        "16 letters: open. With exp, 1 of 1 variants copied in every seed (1 of 1 runs); without it, no variant has a "
        "run. 1 seed a variant, 30 variants without a run yet."
    )
    assert "With exp, no variant has a run; without it, 1 of 1 " in finding([made_up_run(GELU, 16, 0, 100)]).words()


def test_a_live_run_is_the_stored_one_with_other_steps() -> None:
    planned = load_sweep("ablations").configs
    for length in GRID_LENGTHS:
        ours = ablation_config(GELU, length, seed=2)
        assert ours in planned
        assert ablation_config(GELU, length, seed=2, steps=7).steps == 7
    between = ablation_config(Variant("exact", False, "exp", heads=2), 20, seed=0)
    assert (between.task.string_length, between.batch, between.model.heads) == (20, 64, 2)


def test_stored_runs_are_read_with_histories_and_diverged_ones_only_if_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "few.jsonl"
    for number, run in enumerate([made_up_run(EXP, 16, 0, 100), made_up_run(EXP, 16, 1, None, diverged=True)]):
        key = f"key{number}"
        append_row(tmp_path / "few.history.jsonl", {"key": key, "history": run.history})
        append_row(path, {**run.row, "key": key, "history": "few.history.jsonl"})
    append_row(
        path, {**made_up_run(EXP, 16, 2, None).row, "key": "key2", "error": "killed", "history": "few.history.jsonl"}
    )
    assert [run.row["seed"] for run in read_runs(path)] == [0]
    both = read_runs(path, diverged=True)
    assert [run.row["seed"] for run in both] == [0, 1] and len(both[1].history) == STEPS // 100
    assert both[0].history == made_up_run(EXP, 16, 0, 100).history
