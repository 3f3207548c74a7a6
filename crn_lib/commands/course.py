"""`crn course`: the editions of the lessons for a class, and grades for what the class hands in."""

from pathlib import Path
from typing import Annotated

import typer

from crn_lib.commands.output import new_folder, print_table
from crn_lib.errors import RunFailed
from crn_lib.units import counted

course = typer.Typer(help="Teach with the workbook: editions for a class, and grades.", no_args_is_help=True)


@course.command()
def build(
    out: Annotated[Path, typer.Argument(help="Folder of the editions: new, or empty.")],
    hints: Annotated[bool, typer.Option("--hints", help="Leave students the folded hints.")] = False,
) -> None:
    """Write the editions of the lessons: student/, instructor/ with guides, nbgrader/, and a syllabus."""
    from crn_lib.paths import workbook_folder
    from crn_lib.workbook.editions.build import build_editions

    with new_folder(out) as folder:
        lessons = build_editions(workbook_folder() / "notebooks", folder, hints=hints)
    typer.echo(f"{counted(len(lessons), 'lesson')} for students, instructors and nbgrader: {out / 'syllabus.md'}")


@course.command()
def grade(
    submissions: Annotated[Path, typer.Argument(help="Folder of what was handed in: NAME/NN_lesson.ipynb.")],
    out: Annotated[Path, typer.Option(help="Folder of grades and feedback: new, or empty.")] = Path("grades"),
    seconds: Annotated[float, typer.Option(min=1, help="Time a cell may take.")] = 20,
    megabytes: Annotated[int, typer.Option(min=256, help="Memory a submission may take.")] = 2048,
) -> None:
    """Grade a class with nbgrader: only exercises are run, each apart, with our own checks."""
    from tqdm import tqdm

    from crn_lib.paths import workbook_folder
    from crn_lib.workbook.editions.lesson import read_lesson
    from crn_lib.workbook.grading.submissions import find_submissions
    from crn_lib.workbook.runner import find_lessons

    lessons = [read_lesson(path) for path in find_lessons(workbook_folder() / "notebooks")]
    found = find_submissions(submissions, lessons)
    try:
        from crn_lib.workbook.grading.grade import HEADINGS, grade_class
        from crn_lib.workbook.grading.sandbox import Limits, start_server
    except ImportError as error:
        raise RunFailed(f"{error}: pip install -c requirements.txt -e '.[course]'") from None
    with new_folder(out) as folder:
        network, files = start_server()
        if not (network and files):
            reach = " and ".join(name for name, safe in (("the network", network), ("your files", files)) if not safe)
            typer.echo(f"this system does not keep students' code from {reach}: grade in a container", err=True)
        limits = Limits(seconds, megabytes * 2**20)
        grades = grade_class(
            found, lessons, folder, limits, lambda all_of: iter(tqdm(all_of, desc="grading", unit="submission"))
        )
    print_table(HEADINGS[:4], [grade.row()[:4] for grade in grades])
    typer.echo(f"{out / 'grades.csv'}, with the reasons; feedback: {out / 'feedback'}")
