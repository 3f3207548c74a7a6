"""Ray: the same rows as in this process, on this machine alone, and nothing left behind."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from crn_lib.config import ConfigError
from crn_lib.paths import workbook_folder
from crn_lib.sweeps import InlineExecutor
from crn_lib.sweeps.ray_executor import LOCAL_ENVIRONMENT, RayExecutor
from crn_lib.training.loop import CHECKPOINT_NAME
from tests.sweeps.executor_cases import (
    diverging_and_impossible,
    endless,
    is_alive,
    jobs_in,
    quick,
    rows_of,
    saved_when_interrupted,
    timeless,
    wait_until,
)


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

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray (the extra cluster) is not installed"
)

HEAD = f"""
import json, sys
from pathlib import Path
sys.path.insert(0, {str(workbook_folder())!r})
from tests.sweeps.executor_cases import *
from crn_lib.sweeps.ray_executor import RayExecutor
folder = Path(sys.argv[1])
"""


def python(folder: Path, script: str, **options) -> psutil.Popen:
    file = folder / "sweep.py"
    file.write_text(HEAD + textwrap.dedent(script))
    return psutil.Popen(
        [sys.executable, str(file), str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **options,
    )  # fmt: skip


def until(process: psutil.Popen, true: Callable[[], object]) -> None:
    """Wait for something that the process does. A cluster takes seconds to start, on a busy machine a minute."""
    try:
        wait_until(lambda: process.poll() is not None or true(), seconds=240)
        assert process.poll() is None, process.stderr.read()
    except BaseException:
        process.kill()
        raise


def processes_of(parent: psutil.Process) -> list[psutil.Process]:
    return [parent, *parent.children(recursive=True)]


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
def test_a_local_cluster_gives_the_rows_of_this_process_and_listens_on_loopback_only(tmp_path, use_threads):
    """One cluster for it all: a run that diverges, an impossible device, a worker that is killed, and good runs."""
    use_threads(1)
    script = """
        jobs = [*jobs_in(folder / "killed", [endless()]), *diverging_and_impossible(folder / "ray")]
        print(json.dumps(rows_of(RayExecutor(workers=2), jobs)))
    """
    with python(tmp_path, script) as process:
        (lasting,) = jobs_in(tmp_path / "killed", [endless()])
        others = jobs_in(tmp_path / "ray", [quick(), quick(seed=1)])
        until(process, lambda: lasting.progress() and (others[1].folder / CHECKPOINT_NAME).exists())
        cluster = processes_of(process)
        listening = addresses(cluster)
        # The worker of the endless run is the one that has worked most.
        workers = [each for each in cluster if each.name().startswith("ray::_run_job")]
        busiest = max(workers, key=lambda each: sum(each.cpu_times()[:2]))
        busiest.kill()
        out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    *words, last = out.splitlines()
    assert errors == "" and len(words) <= 1 and all("A worker died" in line for line in words), "Ray is to be quiet"
    killed, *rows = json.loads(last)
    assert killed["error"] == "the process of this run died (killed, or out of memory)" and killed["threads"] == 1
    here = rows_of(InlineExecutor(), diverging_and_impossible(tmp_path / "inline"))
    assert [timeless(row) for row in rows] == [timeless(row) for row in here]
    assert {"gcs_server", "raylet"} <= set(listening), listening
    assert set().union(*listening.values()) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}, listening
    wait_until(lambda: not any(is_alive(each) for each in cluster), seconds=15)


def endless_on_ray(
    folder: Path, ends_with_test: Callable[[psutil.Popen], psutil.Popen]
) -> tuple[psutil.Popen, list[psutil.Process]]:
    """A driver with two endless runs, and all its processes, once both runs have a checkpoint."""
    script = """
        for job, row in RayExecutor(workers=2).run(jobs_in(folder, [endless(), endless(seed=1)])):
            print(row["error"])
    """
    process = ends_with_test(python(folder, script))
    jobs = jobs_in(folder, [endless(), endless(seed=1)])
    until(process, lambda: all((job.folder / CHECKPOINT_NAME).exists() for job in jobs))
    return process, processes_of(process)


@needs_ray
@pytest.mark.slow
def test_ctrl_c_saves_what_is_running_and_leaves_nobody(tmp_path, ends_with_test):
    process, cluster = endless_on_ray(tmp_path, ends_with_test)
    jobs = jobs_in(tmp_path, [endless(), endless(seed=1)])
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0 and errors.rstrip().endswith("KeyboardInterrupt"), errors
    wait_until(lambda: not any(is_alive(each) for each in cluster), seconds=15)
    assert saved_when_interrupted(jobs)
    assert all(job.progress() is None for job in jobs), "a run that is not in flight has no progress"


@needs_ray
@pytest.mark.slow
def test_a_killed_driver_leaves_nobody_that_trains(tmp_path, ends_with_test):
    process, cluster = endless_on_ray(tmp_path, ends_with_test)
    # Ray's own agents try for about a minute to report that the cluster is gone, and end then.
    training = [each for each in cluster if not each.name().endswith("Agent")]
    assert sum(each.name().startswith("ray::_run_job") for each in training) == 2
    logs = next(found for each in training if (found := re.search(r"/tmp/crn-ray-\w+", " ".join(each.cmdline()))))
    process.kill()
    process.communicate(timeout=10)
    wait_until(lambda: not any(is_alive(each) for each in training), seconds=15)
    shutil.rmtree(logs[0], ignore_errors=True)  # nobody was left to do it


@needs_ray
@pytest.mark.slow
def test_the_same_goes_to_a_cluster_that_is_there(tmp_path):
    environment = os.environ | LOCAL_ENVIRONMENT | {"RAY_AUTH_TOKEN": "0" * 64}
    start = textwrap.dedent(
        """
        import ray, sys, tempfile
        with tempfile.TemporaryDirectory(prefix="crn-ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
            context = ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=100_000_000,
                               _node_ip_address="127.0.0.1", _temp_dir=folder, logging_level="error")
            print(context.address_info["gcs_address"], flush=True)
            sys.stdin.read()
            ray.shutdown()
        """
    )
    with psutil.Popen(
        [sys.executable, "-c", start],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    ) as cluster:  # fmt: skip
        try:
            address = cluster.stdout.readline().strip()
            assert re.fullmatch(r"127\.0\.0\.1:\d+", address)
            script = f"""
                jobs = jobs_in(folder, [quick(), quick(seed=1)])
                print(json.dumps(rows_of(RayExecutor({address!r}), jobs)))
                try:
                    rows_of(RayExecutor({address!r}, threads=64), jobs)
                except ConfigError as error:
                    print(error)
            """
            with python(
                tmp_path, "from crn_lib.config import ConfigError\n" + textwrap.dedent(script), env=environment
            ) as driver:
                out, errors = driver.communicate(timeout=180)
            assert driver.returncode == 0, errors
            rows, refusal = out.splitlines()
            assert [row["error"] for row in json.loads(rows)] == [None, None]
            assert refusal == "threads must be at most 2, the processors of the cluster's largest machine; got 64"
            assert cluster.poll() is None, "the cluster goes on: it is not this sweep's to end"
        finally:
            cluster.communicate(timeout=30)


@needs_ray
@pytest.mark.slow
def test_an_address_where_nobody_answers_is_said_in_words(tmp_path):
    script = """
        try:
            rows_of(RayExecutor("127.0.0.1:1"), jobs_in(folder, [quick()]))
        except Exception as error:
            print(type(error).__name__, error)
    """
    with python(tmp_path, script) as process:
        out, errors = process.communicate(timeout=120)
    assert out.startswith("ConfigError no Ray cluster answers at '127.0.0.1:1' (") and out.count("\n") == 1, (
        out + errors
    )
