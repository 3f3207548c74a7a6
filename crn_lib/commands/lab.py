"""`crn lab` and `crn lessons copy`: lessons of one's own, from a clone, a shared installation or a wheel."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from crn_lib.commands.output import new_folder
from crn_lib.config import ConfigError
from crn_lib.units import counted

lessons = typer.Typer(help="The lessons as files of one's own.", no_args_is_help=True)


@lessons.command()
def copy(
    folder: Annotated[Path, typer.Argument(help="Folder of the copies: new, or empty.")],
) -> None:
    """Copy the lessons, as they are stored, into a folder of your own."""
    with new_folder(folder) as draft:
        copied = _copy_missing(draft)
    typer.echo(f"{counted(len(copied), 'lesson')} in {folder}; `crn lab {folder}` opens them")


def lab(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FOLDER] [OPTIONS OF JUPYTERLAB]", help="Folder of lessons, and what JupyterLab is told."
        ),
    ] = None,
) -> None:
    """Open the first lesson in JupyterLab: in a clone its own lessons, elsewhere your copies of them, in lessons."""
    from crn_lib.paths import own_folder, workbook_folder
    from crn_lib.workbook.find import find_lessons

    options = arguments or []
    if options and not options[0].startswith("-"):
        folder = Path(options.pop(0))
    elif own_folder() == workbook_folder():
        folder = workbook_folder() / "notebooks"
    else:
        folder = own_folder() / "lessons"
        if copied := _copy_missing(folder):
            typer.echo(f"{counted(len(copied), 'lesson')} copied into {folder}")
    first = find_lessons(folder)[0]
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"{folder} cannot be written: set CRN_HOME to a folder of your own")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *options, str(first)])


def _copy_missing(folder: Path) -> list[Path]:
    """Copy the lessons that are not there yet."""
    from crn_lib.files import replace_text
    from crn_lib.paths import workbook_folder
    from crn_lib.workbook.find import find_lessons

    missing = [path for path in find_lessons(workbook_folder() / "notebooks") if not (folder / path.name).exists()]
    for path in missing:
        replace_text(folder / path.name, path.read_text(encoding="utf-8"))
    return missing
