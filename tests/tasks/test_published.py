"""The published configurations: found by name, in the sweeps that train on them, and as the page of the tasks shows."""

import contextlib
import io
import re

import pytest

from crn_lib.paths import workbook_folder
from crn_lib.sweeps import load_sweep, newest_rows
from crn_lib.tasks import (
    GARG_REGRESSION,
    MAD_FUZZY_RECALL,
    MAD_MEMORISATION,
    MAD_NOISY_RECALL,
    MAD_RECALL,
    MAD_SELECTIVE_COPYING,
    REPEAT_AFTER_ME_LOOKUP,
    ZOOLOGY_RECALL,
    CopyingConfig,
    RegressionConfig,
    TaskConfig,
)

PAGE = (workbook_folder() / "docs/api/tasks.md").read_text(encoding="utf-8")
SWEEPS: dict[str, tuple[TaskConfig, ...]] = {
    "garg": (*GARG_REGRESSION, RegressionConfig()),
    "mad": (*MAD_RECALL, *MAD_FUZZY_RECALL, *MAD_NOISY_RECALL, *MAD_SELECTIVE_COPYING, *MAD_MEMORISATION),
    "repeat_after_me": (*REPEAT_AFTER_ME_LOOKUP, CopyingConfig(string_length=20, shortest=5)),
    "zoology": ZOOLOGY_RECALL,
}


@pytest.mark.parametrize("name", SWEEPS)
def test_the_sweep_of_a_publication_trains_both_kinds_on_all_that_was_published(name: str) -> None:
    trained = {(config.task, config.model.kind) for config in load_sweep(name).configs}
    assert trained == {(task, kind) for task in SWEEPS[name] for kind in ("causal_rn", "transformer")}


def test_zoology_has_its_batches_rates_and_epochs() -> None:
    configs = load_sweep("zoology").configs
    assert len(configs) == 4 * 4 * 4 * 2
    assert {(config.task.context, config.batch) for config in configs} == {
        (64, 512),
        (128, 512),
        (256, 256),
        (512, 128),
    }
    assert {config.model.width for config in configs} == {64, 128, 256, 512} and {c.model.blocks for c in configs} == {
        2
    }
    rates = sorted({config.learning_rate for config in configs})
    assert rates == pytest.approx([10 ** (-4 + 2 * i / 3) for i in range(4)], rel=0.003)
    assert all(64 * 100_000 <= config.steps * config.batch < 64 * 100_000 * 1.01 for config in configs)


def test_the_page_shows_what_its_example_prints() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(example, "docs/api/tasks.md", "exec"), {})
    assert said.getvalue().splitlines() == re.findall(r"print\(.*\)  # (.*)$", example, re.MULTILINE)


def test_the_page_says_that_there_is_no_row_as_long_as_there_is_none() -> None:
    assert all(f"crn sweep {name}" in PAGE for name in SWEEPS)
    none = not any(newest_rows(load_sweep(name).rows) for name in SWEEPS)
    assert ("None of the four sweeps has a row yet" in PAGE) == none
