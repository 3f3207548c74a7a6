"""Checkpoints: one safetensors file with tensors and a JSON header, nothing that could run code when read."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from crn_lib.config import ConfigError, from_mapping
from crn_lib.errors import RunFailed
from crn_lib.files import replace_file
from crn_lib.models import ModelConfig, SequenceModel, build_model

FORMAT = "crn_lib checkpoint 2"


class CheckpointError(RunFailed):
    """A checkpoint that cannot be read, written or does not fit; the message names the file and what is wrong."""


@dataclass
class Checkpoint:
    """Named tensors and a header of plain values."""

    tensors: dict[str, Tensor]
    header: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        metadata = {"format": FORMAT, "header": json.dumps(self.header)}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        replace_file(path, lambda temporary: save_file(tensors, temporary, metadata))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Read a checkpoint.

        Raises:
            CheckpointError: no such file, a damaged file, or a file that something else wrote.
        """
        if not path.is_file():
            raise CheckpointError(f"there is no checkpoint {path}")
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        except (safetensors.SafetensorError, OSError) as error:
            raise CheckpointError(f"{path} is damaged or not a safetensors file ({error})") from None
        if metadata.get("format") != FORMAT:
            raise CheckpointError(f"{path} is not a checkpoint of this library (its format is not {FORMAT!r})")
        return cls(tensors, json.loads(metadata["header"]))

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names start with `prefix.`, without it."""
        return {name[len(prefix) + 1 :]: t for name, t in self.tensors.items() if name.startswith(prefix + ".")}


def check_writable(folder: Path) -> None:
    """Make the folder and try to write in it: before the first step, not after the last.

    Raises:
        CheckpointError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CheckpointError(f"{folder} is no folder that can be written ({error.strerror})") from None


def load_model(path: Path) -> SequenceModel:
    """The model a training run left in this checkpoint, ready to use.

    Raises:
        CheckpointError: the file cannot be read, or its tensors do not fit its own configuration.
    """
    checkpoint = Checkpoint.load(path)
    try:
        model = build_model(from_mapping(ModelConfig, checkpoint.header["config"]["model"]))
    except (ConfigError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} holds no valid model configuration ({error})") from None
    restore_model(model, checkpoint, path)
    return model


def restore_model(model: torch.nn.Module, checkpoint: Checkpoint, path: Path) -> None:
    """Copy a checkpoint's weights into a model.

    Raises:
        CheckpointError: a tensor is missing, left over or of another shape.
    """
    held, wanted = checkpoint.part("model"), model.state_dict()
    for name in sorted(set(held) | set(wanted)):
        found = tuple(held[name].shape) if name in held else "nothing"
        needed = tuple(wanted[name].shape) if name in wanted else "nothing"
        if found != needed:
            raise CheckpointError(f"{path} does not fit the model: {name} is {found}, the model needs {needed}")
    model.load_state_dict(held)
