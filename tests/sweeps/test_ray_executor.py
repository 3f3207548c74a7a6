"""Ray: the same rows as in this process, on this machine alone, and nothing left behind."""

import json
import os
import re
import shutil
import signal
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from crn_lib.config import ConfigError
from crn_lib.paths import workbook_folder
from crn_lib.sweeps import InlineExecutor
from crn_lib.sweeps.jobs import Job
from crn_lib.sweeps.ray_executor import LOCAL_ENVIRONMENT, RayExecutor
from crn_lib.training.loop import CHECKPOINT_NAME
from tests.sweeps.executor_cases import (
    diverging_and_impossible,
    endless,
    is_alive,
    jobs_in,
    rows_of,
    saved_when_interrupted,
    timeless,
)
from tests.waiting import PATIENCE, wait_until


def test_without_ray_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError) as error:
        RayExecutor(workers=1)
    assert "pip install -c requirements.txt -e '.[cluster]'" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "value"), [("workers", 0), ("threads", 0), ("workers", True)])
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(ConfigError, match=f"^{name} must be a whole number >= 1; got {value}$"):
        RayExecutor(**{name: value})


# Everything below starts a cluster, in a process of its own: what Ray sets up in a process stays there.

needs_ray = pytest.mark.needs("ray")

HEAD = f"""
import json, sys
from pathlib import Path
sys.path.insert(0, {str(workbook_folder())!r})
from tests.sweeps.executor_cases import *
from crn_lib.config import ConfigError
from crn_lib.sweeps import ray_executor
ray_executor.SECONDS_TO_SAVE = {PATIENCE}  # on a busy machine the ten seconds may be over
RayExecutor, folder = ray_executor.RayExecutor, Path(sys.argv[1])
"""


def python(folder: Path, script: str, **options) -> psutil.Popen:
    """Start this script. What it says goes to the files `printed` and `errors` of the folder."""
    file = folder / "sweep.py"
    file.write_text(HEAD + textwrap.dedent(script))
    with (folder / "printed").open("w") as printed, (folder / "errors").open("w") as errors:
        return psutil.Popen(
            [sys.executable, str(file), str(folder)], stdout=printed, stderr=errors, start_new_session=True, **options
        )


def until_saved(process: psutil.Popen, folder: Path, jobs: Sequence[Job]) -> None:
    """Wait until the process has a checkpoint of each of these runs."""
    wait_until(lambda: process.poll() is not None or all((job.folder / CHECKPOINT_NAME).exists() for job in jobs))
    assert process.poll() is None, (folder / "errors").read_text()


def processes_of(parent: psutil.Process) -> list[psutil.Process]:
    return [parent, *parent.children(recursive=True)]


def at_work(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have a run in flight."""
    return [each for each in processes if each.name().startswith("ray::_run_job")]


def addresses(processes: list[psutil.Process]) -> dict[str, set[str]]:
    """By the process's name, the addresses at which it listens or takes datagrams."""
    found: dict[str, set[str]] = {}
    for process in processes:
        try:
            for one in process.net_connections("inet"):
                if one.status == psutil.CONN_LISTEN or (one.type.name == "SOCK_DGRAM" and one.laddr):
                    found.setdefault(process.name(), set()).add(one.laddr.ip)
        except psutil.NoSuchProcess:
            continue
    return found


@needs_ray
@pytest.mark.slow
def test_a_local_cluster_gives_the_rows_of_this_process_on_loopback_only_until_ctrl_c(
    tmp_path, use_threads, ends_with_test
):
    """One cluster for it all: good runs, one that diverges, one on a device that is not here, and three endless ones.
    Of these one loses its worker, and two are in flight at the Ctrl-C."""
    use_threads(1)
    script = """
        jobs = [*diverging_and_impossible(folder / "ray"), *jobs_in(folder, [endless(seed=s) for s in range(3)])]
        for _, row in RayExecutor(workers=2).run(jobs):
            print(json.dumps(row), flush=True)
    """
    process = ends_with_test(python(tmp_path, script))
    lasting = jobs_in(tmp_path, [endless(seed=seed) for seed in range(3)])
    until_saved(process, tmp_path, lasting[:2])
    listening = addresses(processes_of(process))
    at_work(processes_of(process))[0].kill()
    until_saved(process, tmp_path, lasting)
    printed = (tmp_path / "printed").read_text().splitlines()
    words = [line for line in printed if not line.startswith("{")]
    assert (tmp_path / "errors").read_text() == "" and len(words) <= 1, "Ray is to be quiet"
    assert all("A worker died" in line for line in words)

    rows = {row["key"]: row for row in map(json.loads, set(printed) - set(words))}
    here = rows_of(InlineExecutor(), diverging_and_impossible(tmp_path / "inline"))
    assert [timeless(rows.pop(row["key"])) for row in here] == [timeless(row) for row in here]
    (killed,) = rows.values()
    assert killed["error"] == "the process of this run died (killed, or out of memory)" and killed["threads"] == 1
    in_flight = [job for job in lasting if job.key != killed["key"]]
    assert len(in_flight) == 2
    assert {"gcs_server", "raylet"} <= set(listening), listening
    assert set().union(*listening.values()) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}, listening

    cluster = processes_of(process)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(PATIENCE)
    errors = (tmp_path / "errors").read_text()
    assert process.returncode != 0 and errors.rstrip().endswith("KeyboardInterrupt"), errors
    wait_until(lambda: not any(is_alive(each) for each in cluster))
    assert saved_when_interrupted(in_flight)
    assert all(job.progress() is None for job in in_flight), "a run that is not in flight has no progress"


@needs_ray
@pytest.mark.slow
def test_a_cluster_that_is_there_takes_another_sweep_and_a_killed_driver_leaves_nobody_that_trains(
    tmp_path, ends_with_test
):
    """One local cluster for both: two of its three processors train for the sweep that started it."""
    environment = os.environ | LOCAL_ENVIRONMENT | {"RAY_AUTH_TOKEN": "0" * 64}
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    start = """
        executor = RayExecutor(workers=3)
        with executor._cluster():
            print(executor._ray.get_runtime_context().gcs_address, flush=True)
            for _ in executor._run(jobs_in(folder, [endless(), endless(seed=1)])):
                pass
    """
    process = ends_with_test(python(first, start, env=environment))
    until_saved(process, first, jobs_in(first, [endless(), endless(seed=1)]))
    address = (first / "printed").read_text().strip()
    assert re.fullmatch(r"127\.0\.0\.1:\d+", address)

    script = f"""
        jobs = jobs_in(folder, [quick(), quick(seed=1)])
        print(json.dumps(rows_of(RayExecutor({address!r}), jobs)))
        for refused in (RayExecutor({address!r}, threads=64), RayExecutor("127.0.0.1:1")):
            try:
                rows_of(refused, jobs)
            except ConfigError as error:
                print(error)
    """
    driver = ends_with_test(python(second, script, env=environment))
    driver.wait(PATIENCE)
    assert driver.returncode == 0, (second / "errors").read_text()
    rows, too_many, nobody = (second / "printed").read_text().splitlines()
    assert [row["error"] for row in json.loads(rows)] == [None, None]
    assert too_many == "threads must be at most 3, the processors of the cluster's largest machine; got 64"
    assert nobody.startswith("no Ray cluster answers at '127.0.0.1:1' (")
    assert process.poll() is None, "the cluster goes on: it is not this sweep's to end"

    # Ray's own agents try for about a minute to report that the cluster is gone, and end then.
    training = [each for each in processes_of(process) if not each.name().endswith("Agent")]
    assert len(at_work(training)) == 2
    logs = next(found for each in training if (found := re.search(r"/tmp/crn-ray-\w+", " ".join(each.cmdline()))))
    process.kill()
    process.wait(PATIENCE)
    wait_until(lambda: not any(is_alive(each) for each in training))
    shutil.rmtree(logs[0], ignore_errors=True)  # nobody was left to do it
