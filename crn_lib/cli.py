"""The command `crn`: one line an error, and what each exit code means."""

import sys

import typer
from typer.exceptions import TyperException

from crn_lib.commands.bench import bench
from crn_lib.commands.course import course
from crn_lib.commands.lab import lab, lessons
from crn_lib.commands.lessons import check, refresh, run
from crn_lib.commands.measure import measure
from crn_lib.commands.sweep import sweep
from crn_lib.commands.train import train
from crn_lib.commands.workbook import doctor, publish, site
from crn_lib.errors import RunFailed

app = typer.Typer(
    help="The CausalRN workbook: run its lessons, train its models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


NO_MEMORY = ("allocate memory", "out of memory", "Storage size calculation overflowed")
"""How torch says on a CPU or a GPU that a tensor is larger than the machine."""

for command in (run, refresh, check, train, sweep, bench, publish, site, doctor):
    app.command()(command)
app.add_typer(measure, name="measure")
app.add_typer(course, name="course")
app.add_typer(lessons, name="lessons")
app.command(context_settings={"ignore_unknown_options": True})(lab)  # they are JupyterLab's


def main() -> None:
    """Entry point: an error is one line for a person, exit code 2 for bad input and 1 for a run that failed."""
    try:
        code = app(_join_parameters(sys.argv[1:]) or ["--help"], standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except TyperException as error:  # an unknown command or option, a value of the wrong kind
        words = error.format_message() if hasattr(error, "format_message") else error
        typer.echo(f"error: {words}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted", err=True)
        sys.exit(130)
    except (RunFailed, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except ValueError as error:  # ConfigError and ParameterError too
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in NO_MEMORY):
            raise  # an error of ours
        typer.echo(f"error: out of memory: something smaller is needed ({str(error).partition(chr(10))[0]})", err=True)
        sys.exit(1)


def _join_parameters(arguments: list[str]) -> list[str]:
    """`-p NAME VALUE`, papermill's form, as the `-p NAME=VALUE` that Typer can repeat."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument in ("-p", "--parameter"):
            name = next(rest, None)
            if name is not None:
                value = None if "=" in name else next(rest, None)
                joined.append(name if value is None else f"{name}={value}")
    return joined


if __name__ == "__main__":
    main()
