"""Checkpoints: one safetensors file with tensors and a JSON header, nothing that could run code when read."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from crn_lib.config import ConfigError, from_mapping, require
from crn_lib.errors import RunFailed
from crn_lib.files import locked, remove_half_written, replace_file
from crn_lib.models import ModelConfig, SequenceModel, build_model

FORMAT = "crn_lib checkpoint 3"
WITHOUT_CHECKSUM = "crn_lib checkpoint 2"
"""The format until 0.1.0, which is still read."""

MARK = b'"sha256":"'
BLANK = 64 * b"0"

PATIENCE = 5.0
"""Seconds in which a process that is being ended lets go of its run's folder."""


class CheckpointError(RunFailed):
    """A checkpoint that cannot be read, written or does not fit; the message names the file and what is wrong."""


class NotThisRun(CheckpointError):
    """A checkpoint that no run of this configuration can go on from: it is damaged, or another run's."""


class RunBusy(RunFailed):
    """Another process trains in the same folder."""


@dataclass
class Checkpoint:
    """Named tensors and a header of plain values."""

    tensors: dict[str, Tensor]
    header: dict[str, Any]

    def save(self, path: str | Path) -> None:
        """Write the file whole or not at all, with a checksum of everything in it."""
        metadata = {"format": FORMAT, "header": json.dumps(self.header), "sha256": BLANK.decode()}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        data = safetensors.torch.save(tensors, metadata)
        data = data.replace(MARK + BLANK, MARK + _checksum(data), 1)
        replace_file(path, lambda temporary: temporary.write_bytes(data))

    @classmethod
    def load(cls, path: str | Path) -> "Checkpoint":
        """Read a checkpoint into memory; the file may be replaced or removed afterwards.

        Raises:
            NotThisRun: a damaged file, or a file that something else wrote.
            CheckpointError: no such file, or it cannot be read now.
        """
        path = Path(path)
        if not path.is_file():
            raise CheckpointError(f"there is no checkpoint {path}")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read ({error.strerror or error})") from None
        try:
            metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
            if metadata.get("format") in (FORMAT, WITHOUT_CHECKSUM):
                whole = metadata["format"] == WITHOUT_CHECKSUM and "sha256" not in metadata
                require(whole or metadata["sha256"].encode() == _checksum(data), "its checksum is another")
                return cls(safetensors.torch.load(data), json.loads(metadata["header"]))
        except MemoryError:
            raise
        except Exception as error:  # there is no saying what a damaged file makes its readers raise
            words = str(error).partition("\n")[0]
            raise NotThisRun(f"{path} is damaged or not a safetensors file ({words})") from None
        raise NotThisRun(f"{path} is not a checkpoint of this library (its format is not {FORMAT!r})")

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names start with `prefix.`, without it."""
        return {name[len(prefix) + 1 :]: t for name, t in self.tensors.items() if name.startswith(prefix + ".")}


def _checksum(data: bytes) -> bytes:
    """The SHA-256, in hexadecimal, of a checkpoint with zeros where its own checksum stands."""
    place = data.index(MARK) + len(MARK)
    digest = hashlib.sha256(memoryview(data)[:place])
    digest.update(BLANK)
    digest.update(memoryview(data)[place + len(BLANK) :])
    return digest.hexdigest().encode()


@contextmanager
def own_folder(folder: str | Path) -> Iterator[None]:
    """Make the folder, try to write in it before the first step and not after the last, and hold it for one run alone.

    What killed runs left half-written in it is removed.

    Raises:
        CheckpointError: it cannot be made or written.
        RunBusy: another process trains in it.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CheckpointError(f"{folder} is no folder that can be written ({error.strerror})") from None
    busy = RunBusy(f"another process is training in {folder}; wait for it, or choose another folder")
    with locked(folder / ".lock", busy, patience=PATIENCE):
        remove_half_written(folder)
        yield


def load_model(path: str | Path) -> SequenceModel:
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


def restore_model(model: torch.nn.Module, checkpoint: Checkpoint, path: str | Path) -> None:
    """Copy a checkpoint's weights into a model.

    Raises:
        NotThisRun: a tensor is missing, left over or of another shape.
    """
    held, wanted = checkpoint.part("model"), model.state_dict()
    for name in sorted(set(held) | set(wanted)):
        found = tuple(held[name].shape) if name in held else "nothing"
        needed = tuple(wanted[name].shape) if name in wanted else "nothing"
        if found != needed:
            raise NotThisRun(f"{path} does not fit the model: {name} is {found}, the model needs {needed}")
    model.load_state_dict(held)
