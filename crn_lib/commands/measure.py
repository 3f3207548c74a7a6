"""`crn measure`: a study's rows that are not stored yet."""

from pathlib import Path
from typing import Annotated

import typer

measure = typer.Typer(help="Measure what a study has no stored rows of yet.", no_args_is_help=True)


@measure.command()
def memory() -> None:
    """Bytes that every kind of model holds while it decodes."""
    from crn_lib.experiments import memory as study
    from crn_lib.models import KINDS
    from crn_lib.paths import own_data_file

    study.fill_rows(map(study.memory_config, KINDS), study.marked_lengths(study.LONGEST), own_data_file(study.ROWS))


@measure.command("length_generalisation")
def length_generalisation(
    sweep: Annotated[str, typer.Argument(help="Whose models: this one, or unseen_lengths.")] = "length_generalisation",
) -> None:
    """Models of a sweep, tested on strings of other lengths."""
    from crn_lib.experiments import length_generalisation as study
    from crn_lib.paths import own_data_file
    from crn_lib.sweeps import load_sweep, sweep_state

    chosen = load_sweep(sweep)
    state = sweep_state(chosen)
    study.fill_rows(state.jobs, state.rows, own_data_file(f"{chosen.name}.jsonl"))


@measure.command()
def retrieval(
    sweeps: Annotated[list[str], typer.Argument(help="Names of sweeps whose models are looked at.")],
    checkpoints: Annotated[Path | None, typer.Option(help="Of all sweeps; runs/sweeps by default.")] = None,
    rows: Annotated[Path | None, typer.Option(help="Of all sweeps; figures/data/runs by default.")] = None,
    together: Annotated[bool, typer.Option(help="Edit all blocks at once only.")] = False,
) -> None:
    """What every block's pairs look like, and what a copy is worth without some."""
    from crn_lib.experiments import retrieval as study
    from crn_lib.paths import checkpoint_folder, own_data_file

    found = rows or {own_data_file(f"runs/{name}.jsonl").parent for name in sweeps}.pop()
    trained = study.trained_runs(sweeps, found, checkpoints or checkpoint_folder())
    study.fill_rows(trained, own_data_file(study.ROWS), together=together)


@measure.command("retrieval_onset")
def retrieval_onset() -> None:
    """When in training a copier begins to retrieve."""
    from crn_lib.experiments import retrieval_onset as study
    from crn_lib.paths import own_data_file

    study.fill_rows(study.grid(), own_data_file(study.ROWS))


@measure.command("review_baselines")
def review_baselines(
    path: Annotated[
        Path, typer.Argument(help="The package with the reviews; the sweep sentences says how to fetch it.")
    ],
) -> None:
    """What is right of the film reviews without a model."""
    from crn_lib.experiments import review_baselines as study
    from crn_lib.paths import own_data_file
    from crn_lib.tasks.sentences import SentencesConfig

    study.fill_rows(SentencesConfig(path=str(path)), own_data_file(study.ROWS))
