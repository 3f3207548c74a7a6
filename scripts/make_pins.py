"""Writes requirements.txt: the exact versions that pip chooses today for everything in pyproject.toml.

Run by `make pins`. Nothing is installed: pip only resolves, for the Python that runs this, and its report is
written down. Left out is what only PyTorch's CUDA builds bring (NVIDIA's libraries), so that the file serves machines
with and without a GPU.
"""

import json
import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TORCH = "torch==2.13.0"
"""The one that everything is tested with; pyproject.toml takes others. The extra dev has the Triton that fits it."""
ONLY_IN_CUDA_BUILDS = re.compile(r"nvidia-|cuda-|pytorch-triton")

HEADER = """\
# Exact versions of everything crn_lib runs on and is tested with, direct and indirect.
# Made by `make pins`: what pip chose for pyproject.toml with its extras dev and site, on Python {python}, {system}.
# To refresh: `make pins`, then `make test`, then commit. Do not edit by hand.
# This is a constraints file. Without make, in an environment of your own:
#     pip install {torch}
#     pip install -c requirements.txt -e .            (or -e '.[dev,site]')
# Which build of PyTorch is installed depends on the machine and on pip's settings: NVIDIA's libraries are not in it.
"""


def resolve(requirements: list[str]) -> dict[str, str]:
    """Name -> version of every package that pip would install in an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        command = [*pip, "--dry-run", "--ignore-installed", "--report", str(report), *requirements]
        subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)
        installed = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    return {re.sub(r"[-_.]+", "-", m["name"]).lower(): m["version"].split("+")[0] for m in installed}


def main() -> int:
    """Resolve, write the file, say what changed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    print("Asking pip for the newest versions that pyproject.toml allows: a minute or more.", flush=True)
    extras = project["optional-dependencies"]
    try:
        versions = resolve([TORCH, *project["dependencies"], *extras["dev"], *extras["site"]])
    except subprocess.CalledProcessError as failure:
        print(*failure.stderr.splitlines()[-12:], sep="\n", file=sys.stderr)
        print("pip could not resolve this (reason above): requirements.txt is unchanged.", file=sys.stderr)
        return 1
    pins = [f"{n}=={v}" for n, v in sorted(versions.items()) if not ONLY_IN_CUDA_BUILDS.match(n)]
    header = HEADER.format(python=platform.python_version(), system=platform.system(), torch=TORCH)
    path = ROOT / "requirements.txt"
    before = set(path.read_text().splitlines()) if path.exists() else set()
    path.write_text(header + "\n".join(pins) + "\n")
    changed = sorted(set(pins) - before)
    print(f"requirements.txt: {len(pins)} packages, {len(changed)} new or changed.", *changed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
