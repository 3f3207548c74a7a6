"""Whatever a mapping, a YAML file, a row, a parameter or a flag holds: it is taken, or refused in one line.

2,000 examples by default; `CRN_EXAMPLES=20000` looks longer.
"""

import contextlib
import dataclasses
import io
import json
import os
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crn_lib.cli import main
from crn_lib.config import ConfigError, from_mapping
from crn_lib.models import BLOCKS, ModelConfig
from crn_lib.ops import ACTIVATIONS, NORMS
from crn_lib.sweeps import Sweep, config_key, load_sweep, read_histories, read_runs, sweep_state
from crn_lib.sweeps.progress import lines, summary
from crn_lib.sweeps.sweep import configure
from crn_lib.tasks import CopyingConfig
from crn_lib.training import TrainConfig
from tests.tiny import quick
from tests.workbooks import make_workbook

EXAMPLES = int(os.environ.get("CRN_EXAMPLES", "2000"))


def examples(share):
    """This share of all examples; a file or a process that fixtures made may serve them all."""
    return settings(max_examples=int(share * EXAMPLES), suppress_health_check=list(HealthCheck), deadline=None)


numbers = st.integers() | st.sampled_from([0, 1, -1, 2**31, 2**63, 2**64, 10**15, 10**400]) | st.floats()
words = st.text(max_size=12) | st.sampled_from([*BLOCKS, *NORMS, *ACTIVATIONS, "copying", "cosine", "1e3", "inf", "~"])
scalars = st.none() | st.booleans() | numbers | words | st.dates()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.integers() | st.none(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = {
    kind: [field.name for field in dataclasses.fields(kind)] for kind in (TrainConfig, ModelConfig, CopyingConfig)
}


def mapping_of(kind, inner=values):
    return st.dictionaries(st.sampled_from([*FIELDS[kind], "name", "sead"]) | words, inner, max_size=4)


run_fields = st.dictionaries(
    st.sampled_from([*FIELDS[TrainConfig], "sead"]) | st.integers(),
    values | mapping_of(ModelConfig) | mapping_of(CopyingConfig),
    max_size=5,
)
dotted = st.sampled_from([f"model.{name}" for name in FIELDS[ModelConfig]] + ["task.name", "task.vocab", "seed", "."])
chosen = st.dictionaries(dotted | words | st.integers(), values, max_size=3)


@examples(0.25)
@given(run_fields)
def test_a_mapping_is_a_configuration_or_one_line(mapping):
    with contextlib.suppress(ConfigError):
        assert isinstance(from_mapping(TrainConfig, mapping), TrainConfig)


@pytest.mark.parametrize("field", FIELDS[TrainConfig])
def test_a_number_longer_than_python_writes_is_one_line(field):
    with pytest.raises(ConfigError):
        from_mapping(TrainConfig, {field: 10**5000})


@examples(0.1)
@given(run_fields, chosen)
def test_so_are_fields_over_fields(base, over):
    with contextlib.suppress(ConfigError):
        assert isinstance(configure(base, over), TrainConfig)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


class Dumper(yaml.SafeDumper):
    """Writes a number however long it is."""


Dumper.add_representer(
    int,
    lambda dumper, number: dumper.represent_scalar(
        "tag:yaml.org,2002:int", f"{number:#x}" if number > 9**99 else str(number)
    ),
)
grids = st.lists(st.dictionaries(dotted | words, values, max_size=3) | values, max_size=3)
sweep_fields = st.fixed_dictionaries(
    {}, optional={"base": run_fields | values, "grids": grids | values, "about": values}
)
yaml_text = (sweep_fields | values).map(lambda found: yaml.dump(found, Dumper=Dumper, allow_unicode=True).encode())


@examples(0.2)
@given(
    yaml_text
    | st.binary(max_size=60)
    | st.text(":-[]{}&*!|>'\"%@`#?,= \n\t0123456789.eainfnul~", max_size=30).map(str.encode)
)
@example(b"grids: [{seed: 2026-13-45}]")
@example(b"=")
@example(b"[" * 5000)
@example(b"seed: " + b"9" * 5000)
@example(b"\xff\xfe")
@example(b"a: &a [*a]")
def test_a_sweep_file_is_a_sweep_or_one_line(folder, content):
    (folder / "sweep.yaml").write_bytes(content)
    try:
        says = ""
        assert isinstance(load_sweep(folder / "sweep.yaml", folder / "rows.jsonl"), Sweep)
    except ConfigError as error:
        says = str(error)
    assert "\n" not in says


ONE = Sweep("one", (quick(),), Path("nowhere"))
KEY = config_key(quick())
row_fields = ["key", "error", "steps", "seconds", "stopped", "history", "history_file", "model", "character_accuracy"]
rows = st.dictionaries(st.sampled_from(row_fields) | words, values | st.just(KEY), max_size=6) | values


def as_json(row):
    return json.dumps(row, default=str).encode() if not isinstance(row, bytes) else row


@examples(0.2)
@given(st.lists(rows | st.binary(max_size=20), max_size=3))
@example([{"key": KEY, "error": None, "steps": 1, "seconds": 1.0}])
@example([{"key": KEY, "error": 3}])
@example([{"key": KEY, "error": None, "steps": 1, "seconds": 1.0, "stopped": "steps", "character_accuracy": None}])
def test_rows_are_read_or_one_line(folder, found):
    path = folder / "some.jsonl"
    sys.set_int_max_str_digits(0)
    try:
        path.write_bytes(b"\n".join(map(as_json, found)) + b"\n")
    finally:
        sys.set_int_max_str_digits(4300)
    for read in (read_runs, read_histories, lambda file: shown(dataclasses.replace(ONE, rows=file), folder)):
        with contextlib.suppress(ConfigError, FileNotFoundError):
            read(path)


def shown(one, folder):
    state = sweep_state(one, checkpoints=folder)
    return lines(state), summary(state, 1.0)


# --- the command ---


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    """One lesson, where nothing is really run; `crn` is run there."""
    root = make_workbook(tmp_path_factory.mktemp("workbook"), **{"00_good": ["size = 3\ntext = 'a'"]})
    (root / "taken").write_text("a file")
    (root / "good.yaml").write_text("grids: [{seed: 0}]\n")
    before = Path.cwd()
    os.chdir(root)
    with pytest.MonkeyPatch.context() as patch:

        def nothing(*_, **__):
            raise KeyboardInterrupt

        for name in ("training.train", "sweeps.run_sweep", "bench.run_cases", "workbook.runner.run_lesson"):
            patch.setattr(f"crn_lib.{name}", nothing)
        yield root
    os.chdir(before)


def one_line_or_nothing(*arguments):
    """Run `crn`: it ends with a code of its own, and if that says there is an error, with one line on it."""
    out, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        patch.setattr(sys, "argv", ["crn", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code in (0, 1, 2, 130), ended.value.code
    assert "Traceback" not in errors.getvalue()
    if ended.value.code in (1, 2):
        said = [line for line in errors.getvalue().splitlines() if line.startswith("error: ")]
        assert len(said) == 1 and errors.getvalue().endswith(f"{said[0]}\n"), errors.getvalue()


arguments = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
typed = arguments | numbers.map(str) | words.filter(lambda text: "\0" not in text)


@examples(0.1)
@given(st.lists(st.tuples(st.sampled_from(["size", "text", "profile", "siz"]) | arguments, typed), max_size=3))
@example([("size", "9" * 5000)])
def test_a_parameter_is_taken_or_one_line(workbook, parameters):
    one_line_or_nothing("run", "00", *(part for pair in parameters for part in ("-p", *pair)))


PLACES = st.sampled_from(["out", "taken", "notebooks", "", " ", "ä b", "taken/x", "x" * 300, "good.yaml"])
FLAGS = {
    "train": ["--device", "--config", "--out", "--resume"],
    "sweep": ["--executor", "--workers", "--threads", "--address", "--limit", "--device", "--rows", "--retry-failed"],
    "bench": ["--only", "--longest", "--device", "--out", "--figure"],
    "run": ["--profile", "--out", "-p"],
}
PATHS = ("--out", "--config", "--rows", "--figure")


@st.composite
def command_lines(draw):
    command = draw(st.sampled_from([*FLAGS, "trian"]))
    own = [*FLAGS.get(command, []), "--help", "--bogus"]
    line = [command]
    if command == "sweep":
        line.append(draw(st.sampled_from(["good.yaml", ":", "lengths", "nowhere.yaml", "notebooks"])))
    if command == "train":
        names = st.sampled_from([*FIELDS[TrainConfig], *(f"model.{name}" for name in FIELDS[ModelConfig])]) | typed
        line += draw(st.lists(st.builds("{}={}".format, names, typed), max_size=3))
    for flag in draw(st.lists(st.sampled_from(own), max_size=3)):
        value = draw(PLACES if flag in PATHS else typed | st.sampled_from(["cpu", "processes", "1", "3"]))
        line += [flag] if draw(st.integers(0, 9)) == 0 else [flag, value]
    return line


@examples(0.15)
@given(command_lines())
@example(["train", "--device", "cpu:abc"])
@example(["train", "model.width=" + "9" * 4000])
@example(["sweep", "good.yaml", "--threads", "-7"])
def test_a_command_line_is_run_or_one_line(workbook, line):
    one_line_or_nothing(*line)
