"""Where a stored number comes from: device, format, threads and versions."""

import platform
from typing import Any

import torch

import crn_lib


def circumstances(device: str, dtype: str) -> dict[str, Any]:
    """What a row says of where a number was measured; the threads are this process's."""
    return {"device": device, "dtype": dtype, "threads": torch.get_num_threads(), "versions": versions()}


def versions() -> dict[str, str]:
    """Versions that a stored number depends on."""
    return {"crn_lib": crn_lib.__version__, "torch": torch.__version__, "python": platform.python_version()}
