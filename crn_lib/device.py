"""Which device to compute on."""

import torch


def pick_device(name: str = "auto") -> tuple[torch.device, str]:
    """The device to compute on and, in words, why.

    Raises:
        ValueError: a device that is unknown or not here; the message names what is.
    """
    there = ["cpu"]
    if torch.cuda.is_available():
        there.append("cuda")
    if torch.backends.mps.is_available():
        there.append("mps")
    if name == "auto":
        if "cuda" in there:
            return torch.device("cuda"), f"a CUDA GPU is here ({torch.cuda.get_device_name()})"
        return torch.device("cpu"), f"no CUDA GPU is here; {torch.get_num_threads()} threads"
    if name.split(":")[0] not in there:
        raise ValueError(f"device must be auto or one of {', '.join(there)} on this machine; got {name!r}")
    return torch.device(name), "asked for"
