"""What this machine has for the workbook, what is missing, and how to get it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from crn_lib.device import pick_device
from crn_lib.ops import which_backend
from crn_lib.ops.backends import fused_cpu_missing
from crn_lib.paths import WorkbookNotFound, own_folder

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LAB_EXTENSIONS = {
    "sliders and text fields": "@jupyter-widgets/jupyterlab-manager",
    "live figures": "anywidget",
    "static figures": "jupyterlab-plotly",
}
COMFORTABLE_MEMORY = 3 * 2**30


@dataclass(frozen=True)
class Finding:
    """One line of the report: `state` is `ok`, `note` (works, but) or `missing` (does not work)."""

    what: str
    state: str
    detail: str


def examine() -> list[Finding]:
    """Look at everything the workbook needs; imports and looks up, but computes nothing long."""
    findings = [
        Finding("Python", "ok", f"{platform.python_version()} ({sys.executable})"),
        Finding("torch", "ok", str(torch.__version__)),
    ]
    device, why = pick_device()
    findings.append(Finding("device", "ok", f"{device}: {why}"))
    findings.append(Finding("threads", "ok", f"{torch.get_num_threads()} of {psutil.cpu_count()} processors"))
    choice = which_backend(device=device)
    state = "ok" if choice.name == "fused" else "note"
    lacking = device.type == "cpu" and importlib.util.find_spec("numba") is None
    advice = "; `pip install numba` makes it many times faster" if lacking else ""
    findings.append(Finding("exact relation", state, f"{choice}{advice}"))
    if not fused_cpu_missing():
        from crn_lib.ops.cpu import decoding, scan, selective_scan  # noqa: F401  (their kernels too)
        from crn_lib.ops.cpu.kernel_cache import where_kept
        from crn_lib.ops.cpu.target import TARGET

        slow = "" if TARGET.fused else ", without an operation that multiplies and adds: slower"
        detail = f"{TARGET.vectors}, {8 * TARGET.register} bits a register{slow}"
        findings.append(Finding("vectors of the kernels", "ok" if TARGET.fused else "note", detail))
        folder, trouble = where_kept()
        detail = f"{trouble}: compiled anew, which takes a minute" if trouble else f"kept in {folder}"
        findings.append(Finding("compiled kernels", "note" if trouble else "ok", detail))
    findings.append(_own_folder())
    free = psutil.virtual_memory().available
    state = "ok" if free >= COMFORTABLE_MEMORY else "note"
    advice = "" if state == "ok" else "; the lessons are comfortable with 3 GiB: close something large"
    findings.append(Finding("free memory", state, f"{free / 2**30:.1f} GiB{advice}"))
    findings += _jupyter()
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    findings.append(
        Finding(
            "browser",
            "ok" if browser else "note",
            browser or "none found; only for storing pictures of figures and for the browser tests: install chromium",
        )
    )
    return findings


def _own_folder() -> Finding:
    try:
        folder = own_folder()
    except WorkbookNotFound as error:
        return Finding("own folder", "missing", str(error))
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(there, os.W_OK):
        return Finding("own folder", "ok", f"rows and runs go to {folder}")
    return Finding("own folder", "note", f"{folder} cannot be written: set CRN_HOME to a folder of your own")


def _jupyter() -> list[Finding]:
    if importlib.util.find_spec("jupyterlab") is None:
        return [Finding("JupyterLab", "missing", "pip install -c requirements.txt -e .")]
    findings = [Finding("JupyterLab", "ok", importlib.metadata.version("jupyterlab"))]
    from jupyter_core.paths import jupyter_path

    findings.append(_kernel())
    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    for use, extension in LAB_EXTENSIONS.items():
        there = any((folder / extension).is_dir() for folder in folders)
        detail = extension if there else f"{extension} is not installed: pip install -c requirements.txt -e ."
        findings.append(Finding(use, "ok" if there else "missing", detail))
    return findings


def _kernel() -> Finding:
    """Which Python JupyterLab starts for a lesson; `crn run` asks no kernelspec and always starts this one."""
    from jupyter_client.kernelspec import KernelSpecManager

    spec = KernelSpecManager().get_kernel_spec("python3")
    program = Path(spec.argv[0])
    if not program.is_absolute() or program.parent == Path(sys.executable).parent:
        return Finding("kernel", "ok", "JupyterLab runs lessons with this Python")
    there = shutil.which(program) is not None
    detail = f"JupyterLab's python3 is {program}{'' if there else ', which is not there'}: remove {spec.resource_dir}"
    return Finding("kernel", "note" if there else "missing", f"{detail}, or take it off JUPYTER_PATH")
