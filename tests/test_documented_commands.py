"""Every command that README, CONTRIBUTING and the workflows show is one: `crn` parses it, `make` has a rule for it."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer.main
import yaml
from typer.exceptions import TyperException

from crn_lib.cli import _join_parameters, app
from crn_lib.commands.train import parse_fields
from crn_lib.config import ConfigError
from crn_lib.sweeps.sweep import configure

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def commands_in(path: Path) -> list[str]:
    """Lines of code blocks and code between words that begin with `crn`, `make` or `torchrun`."""
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    between_words = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    found = [line for block in blocks for line in block.splitlines()] + [" ".join(c.split()) for c in between_words]
    return [command for command in found if re.match(r"(\.venv/bin/)?((crn|make)( |$)|torchrun )", command)]


def steps_in(path: Path) -> list[str]:
    """What a workflow runs."""
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def parse(command: str) -> None:
    """Raise where it would not be understood. One without arguments is a mention: it may lack some."""
    program, *words = shlex.split(command.replace(" …", ""), comments=True)
    if program == "make":
        subprocess.run(["make", "--dry-run", *words], cwd=ROOT, capture_output=True, check=True)
        return
    if program.endswith("torchrun"):
        words = words[words.index("crn_lib.cli") + 1 :]
    found, name, rest = typer.main.get_command(app), "crn", _join_parameters(words)
    while rest and hasattr(found, "commands"):
        name, *rest = rest
        found = found.commands[name]
    parsed = found.make_context(name, rest, resilient_parsing=not rest).params
    if name == "train":
        configure({}, parse_fields(parsed["fields"] or []))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/ways_in.md"])
def test_every_command_shown_is_one(name: str) -> None:
    shown = commands_in(ROOT / name)
    assert {command.removeprefix(".venv/bin/").split()[0] for command in shown} >= {"crn", "make"}
    for command in shown:
        parse(command)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_make_and_nothing_else(path: Path) -> None:
    steps = steps_in(path)
    assert len(steps) == 1 and steps[0].startswith("make ")
    parse(steps[0])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ("make tset", subprocess.CalledProcessError),
        ("crn trian", KeyError),
        ("crn measure pie", KeyError),
        ("crn run --profil smoke", TyperException),
        ("crn bench 3", TyperException),
        ("crn train width=3", ConfigError),
        ("torchrun -m crn_lib.cli train steps", ConfigError),
    ],
)
def test_what_is_no_command_is_found_out(wrong: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse(wrong)
