"""Which device to compute on."""

from collections.abc import Mapping

import torch

from crn_lib.config import require, shown

Device = str | torch.device
"""A device by its name, as torch has it, or `auto` for the best there is."""


def known_device(name: Device) -> None:
    """Raise `ConfigError` unless some machine may have a device of that name."""
    if name != "auto":
        _device(name, {"cpu": 1, "cuda": 1000, "mps": 1}, "")


def pick_device(name: Device = "auto") -> tuple[torch.device, str]:
    """The device to compute on and, in words, why.

    Raises:
        ConfigError: a device that is unknown or not here; the message names what is.
    """
    there = {"cpu": 1}
    if torch.cuda.is_available():
        there["cuda"] = torch.cuda.device_count()
    if torch.backends.mps.is_available():
        there["mps"] = 1
    if name == "auto":
        if "cuda" in there:
            return torch.device("cuda"), f"a CUDA GPU is here ({torch.cuda.get_device_name()})"
        return torch.device("cpu"), f"no CUDA GPU is here; {torch.get_num_threads()} threads"
    return _device(name, there, " on this machine"), "asked for"


def _device(name: Device, there: Mapping[str, int], where: str) -> torch.device:
    text = str(name) if isinstance(name, str | torch.device) else ""
    kind = text.partition(":")[0]
    names = [kind, *(f"{kind}:{place}" for place in range(there.get(kind, 0)))]
    wanted = f"device must be auto or one of {', '.join(there)}{where}"
    require(kind in there and text in names, f"{wanted}; got {shown(name)}")
    return torch.device(text)
