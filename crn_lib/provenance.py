"""Where a stored number comes from: commit, processor, device, format, threads and versions."""

import importlib.metadata
import platform
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch

import crn_lib


def circumstances(device: str, dtype: str) -> dict[str, Any]:
    """What a row says of where a number was measured; the threads are this process's."""
    return {
        "device": device,
        "processor": processor(device),
        "dtype": dtype,
        "threads": torch.get_num_threads(),
        "versions": versions(device),
        "commit": COMMIT,
    }


def versions(device: str = "cpu") -> dict[str, str]:
    """Versions that a number measured on the device depends on."""
    found = {"crn_lib": crn_lib.__version__, "torch": torch.__version__, "python": platform.python_version()}
    if device.startswith("cuda"):
        with suppress(importlib.metadata.PackageNotFoundError):
            found["triton"] = importlib.metadata.version("triton")
    return found


@cache
def processor(device: str) -> str | None:
    """Name of the chip behind a device; `None` where none is named (`auto`) or it is not here."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device) if torch.cuda.is_available() else None
    if device.split(":")[0] not in ("cpu", "mps"):
        return None
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def find_commit(folder: str | Path) -> str | None:
    """Commit of the clone that is `folder`, with `+changes` where tracked files of its `crn_lib` differ from it.

    Returns:
        `None` where the folder is no clone (one around it does not count) or git cannot tell.
    """

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, timeout=5)

    try:
        found = git("rev-parse", "--show-cdup", "--short", "HEAD")
        way_up, _, commit = found.stdout.partition("\n")  # to the clone's own folder: none from there
        if found.returncode != 0 or way_up:
            return None
        same = git("diff", "--quiet", "HEAD", "--", "crn_lib").returncode == 0
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.strip() + ("" if same else "+changes")


COMMIT = find_commit(Path(__file__).resolve().parents[1])
"""Of the code of this process: found when it is loaded, since a long run may outlive its commit."""
