"""What is done with rows and with the workbook as a whole: `crn publish`, `crn site`, `crn doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from crn_lib.commands.output import print_table
from crn_lib.config import ConfigError
from crn_lib.errors import RunFailed

TABLES = ("results", "claims", "speed")


def publish(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Figures, `results`, `claims` or `speed`; everything where none is given."),
    ] = None,
) -> None:
    """Draw figures from the stored rows, and write the tables of results and claims anew. Nothing is executed."""
    from tqdm import tqdm

    from crn_lib.paths import clone_folder
    from crn_lib.workbook import results_table, speed_page
    from crn_lib.workbook.figure_files import store_figure
    from crn_lib.workbook.figures import FIGURES

    root = clone_folder()
    there = [*FIGURES, *TABLES]
    unknown = [name for name in names or [] if name not in there]
    if unknown:
        raise ConfigError(f"there is nothing to publish named {', '.join(unknown)}; there are {', '.join(there)}")
    chosen = names or there
    for name in tqdm([name for name in chosen if name in FIGURES], desc="drawing", unit="figure"):
        tqdm.write(store_figure(FIGURES[name](root), root / "figures" / name))
    if "results" in chosen:
        results_table.update(root)
    if "speed" in chosen:
        speed_page.update(root)
    if "claims" in chosen:
        _publish_claims(root)


def _publish_claims(root: Path) -> None:
    from crn_lib.course.claims_table import summary
    from crn_lib.workbook import collect_claims

    for path in collect_claims.update(root):
        typer.echo(f"written: {path.relative_to(root)}")
    typer.echo(summary(collect_claims.collect(root / "notebooks")))
    if late := collect_claims.overdue(root / "notebooks"):
        raise RunFailed("; ".join(late))


def site(
    notebooks: Annotated[Path | None, typer.Option(help="Folder of the lessons; the workbook's by default.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("build/site"),
) -> None:
    """Build the lessons, as they are stored, as pages that need no Jupyter."""
    from crn_lib.paths import clone_folder

    try:
        from crn_lib.workbook.site.stage import build
    except ImportError as error:
        raise RunFailed(f"{error}: pip install -c requirements.txt -e '.[site]'") from None
    if wrong := build(notebooks or clone_folder() / "notebooks", out.resolve()):
        raise RunFailed("\n".join(wrong))
    typer.echo(f"The static edition: {out.resolve() / 'index.html'}")


def doctor() -> None:
    """Say what this machine has for the workbook, what is missing, and how to get it."""
    from crn_lib.doctor import examine

    findings = examine()
    print_table(("", "", ""), [(finding.state, finding.what, finding.detail) for finding in findings])
    missing = [finding for finding in findings if finding.state == "missing"]
    typer.echo(f"{len(missing)} missing" if missing else "everything the lessons need is here")
    if missing:
        raise typer.Exit(1)
