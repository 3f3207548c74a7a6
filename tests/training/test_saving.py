"""A checkpoint and its folder when things go wrong: full disks, lost mounts, flipped bits, two trainings, old files."""

import errno
import json
import os
import random
import resource
import shutil
import subprocess
from pathlib import Path

import pytest
import safetensors.torch
import torch

from crn_lib import files
from crn_lib.config import ConfigError
from crn_lib.device import pick_device
from crn_lib.files import locked
from crn_lib.training import CheckpointError, RunBusy, TrainConfig, checkpoints, load_model, loop, train
from crn_lib.training.checkpoints import FORMAT, MARK, WITHOUT_CHECKSUM, Checkpoint
from tests.tiny import quick, run, timeless, tiny, weights

NAME = loop.CHECKPOINT_NAME


def step_of(folder: Path) -> int:
    return int(Checkpoint.load(folder / NAME).header["step"])


# --- what cannot be saved now ---

TROUBLES = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.ESTALE, errno.ENOTCONN]


@pytest.mark.parametrize("number", TROUBLES, ids=[errno.errorcode[number] for number in TROUBLES])
def test_a_disk_that_takes_nothing_is_a_warning_and_the_run_is_saved_when_it_can_be(tmp_path, monkeypatch, number):
    """Nothing from the ninth evaluation to the eleventh, every 2 steps; regular checkpoints come every 20."""
    config = quick(steps=24, checkpoint_every=20)
    saved = []

    def refuse(self, *_, **__):
        raise OSError(number, os.strerror(number), str(self))

    def watch(history):
        saved.append(step_of(tmp_path) if (tmp_path / NAME).exists() else None)
        if len(history) == 9:
            monkeypatch.setattr(Path, "touch", refuse)
        if len(history) == 11:
            monkeypatch.undo()

    with pytest.warns(UserWarning, match=rf"^the checkpoint of step 20 was not saved in .*{os.strerror(number)}"):
        result = run(config, folder=tmp_path, on_evaluation=watch)
    assert saved == [None] * 11 + [22], "not at the next evaluation"
    assert result.stopped == "steps" and step_of(tmp_path) == 24
    assert timeless(result.history) == timeless(run(config).history)
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_a_file_that_may_not_grow_is_a_warning_too(tmp_path):
    """`ulimit -f`: what full disks and quotas look like to the C library."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, hard))
    try:
        with pytest.warns(UserWarning, match="was not saved in .*File too large"):
            result = run(tiny(steps=10), folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert result.stopped == "steps" and list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """64 KiB, where this user may mount them."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_really_full_costs_no_run(small_disk):
    filler = small_disk / "filler"
    filler.write_bytes(bytes(60_000))

    def make_room(history):
        if history[-1]["step"] == 20:
            filler.unlink()

    with pytest.warns(UserWarning, match="of step 10 was not saved in .*No space left on device"):
        result = run(tiny("lstm", width=8, blocks=1), folder=small_disk, on_evaluation=make_room)
    assert result.stopped == "steps" and step_of(small_disk) == 30
    assert [file.name for file in small_disk.iterdir()] == [NAME]


def test_a_mount_that_is_lost_or_read_only_costs_no_run(small_disk):
    def lose(history):
        over = {10: ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs"], 20: ["umount"]}.get(int(history[-1]["step"]))
        if over:
            subprocess.run([*over, str(small_disk)], check=True)

    config = tiny("lstm", width=8, blocks=1, checkpoint_every=10)
    with pytest.warns(UserWarning, match="of step 10 was not saved in .*Read-only file system"):
        run(config, folder=small_disk, on_evaluation=lose)
    assert step_of(small_disk) == 30


# --- on the disk ---


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """Otherwise a power failure could leave the new name with an empty file, and the old one gone."""
    done = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(files.os, "fsync", lambda number: done.append(os.fstat(number).st_ino) or sync(number))

    def renamed(self, target):
        done.append((self.stat().st_ino, self.stat().st_size > 0, target.name))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", renamed)
    files.replace_text(tmp_path / "a.txt", "whole")
    assert done == [done[0], (done[0], True, "a.txt")]


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_the_users_umask_says_who_may_read_a_file(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        run(quick(steps=2), folder=tmp_path)
        files.replace_text(tmp_path / "result.json", "{}")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {mode}


def test_what_killed_runs_left_half_written_is_removed(tmp_path):
    (tmp_path / f".{NAME}.0123abcd.tmp").write_bytes(b"half")
    (tmp_path / ".progress.json.0123abcd.tmp").write_bytes(b"")
    (tmp_path / ".lock").touch()
    (tmp_path / "notes.tmp").write_text("of somebody")
    run(quick(steps=2), folder=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {NAME, "notes.tmp"}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what is mapped")
def test_nothing_of_a_checkpoint_stays_mapped(tmp_path):
    """Where it does, Windows refuses to replace the file."""
    mapped = []

    def look(*_):
        mapped.append(str(tmp_path) in Path("/proc/self/maps").read_text())

    run(tiny(steps=10), folder=tmp_path)
    model = load_model(tmp_path / NAME)
    look(model)
    run(tiny(steps=30), folder=tmp_path, resume=True, on_evaluation=look)
    assert mapped == [False, False, False]


# --- damaged, old, another's ---


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    run(quick(), folder=folder)
    return folder / NAME


def test_any_flipped_bit_is_refused_and_the_file_named(kept, tmp_path):
    whole = kept.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    choose = random.Random(0)
    places = [*range(64), *(8 * whole.index(MARK) + bit for bit in range(8 * len(MARK) + 8 * 64))]
    places += [choose.randrange(8 * header) for _ in range(400)]
    places += [choose.randrange(8 * header, 8 * len(whole)) for _ in range(400)]
    path = tmp_path / NAME
    for place in places:
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError) as error:
            load_model(path)
        assert str(error.value).startswith(f"{path} is ") and "\n" not in str(error.value), place
    path.write_bytes(whole)
    load_model(path)


def as_before(path: Path, without: tuple[str, ...] = ()) -> None:
    """Store a checkpoint again as 0.1.0 wrote it: no checksum, and fewer fields."""
    checkpoint = Checkpoint.load(path)
    for name in without:
        part, _, field = name.rpartition(".")
        del (checkpoint.header["config"][part] if part else checkpoint.header["config"])[field]
    metadata = {"format": WITHOUT_CHECKSUM, "header": json.dumps(checkpoint.header)}
    path.write_bytes(safetensors.torch.save(checkpoint.tensors, metadata))


def test_a_checkpoint_of_an_earlier_version_goes_on_with_the_defaults_of_what_it_lacks(tmp_path):
    run(tiny(steps=10), folder=tmp_path)
    as_before(tmp_path / NAME, without=("precision", "stop_at", "model.post_norm", "task.shortest"))
    load_model(tmp_path / NAME)
    resumed, whole = run(tiny(steps=20), folder=tmp_path, resume=True), run(tiny(steps=20))
    assert timeless(resumed.history) == timeless(whole.history)
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(resumed).items())
    assert Checkpoint.load(tmp_path / NAME).header["config"]["precision"] == "float32"


def test_what_an_earlier_version_lacks_counts_as_its_default_and_no_other(tmp_path):
    run(tiny(steps=10), folder=tmp_path)
    as_before(tmp_path / NAME, without=("precision",))
    with pytest.raises(CheckpointError, match="belongs to another run: precision differ"):
        run(tiny(steps=20, precision="bfloat16"), folder=tmp_path, resume=True)


@pytest.mark.parametrize("lacking", ["step", "scaler", "history", "cpu_seconds"])
def test_a_header_that_lacks_what_a_run_goes_on_from_is_one_line(kept, tmp_path, lacking):
    checkpoint = Checkpoint.load(kept)
    del checkpoint.header[lacking]
    checkpoint.save(tmp_path / NAME)
    with pytest.raises(CheckpointError, match=rf"does not hold all that a run goes on from \('{lacking}'\)$"):
        run(quick(), folder=tmp_path, resume=True)


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize(
    ("change", "named"), [({"seed": 1}, "seed"), ({"kind": "ssm"}, "model"), ({"batch": 5}, "batch")]
)
def test_the_checkpoint_of_another_configuration_is_never_replaced(kept, tmp_path, resume, change, named):
    path = tmp_path / NAME
    path.write_bytes(kept.read_bytes())
    with pytest.raises(CheckpointError) as error:
        run(quick(**change), folder=tmp_path, resume=resume)
    assert str(error.value) == (
        f"{path} belongs to another run: {named} differ; use its configuration or another folder, or remove it"
    )
    assert path.read_bytes() == kept.read_bytes()


def test_neither_is_a_file_of_that_name_that_is_no_checkpoint(tmp_path):
    (tmp_path / NAME).write_text("my notes")
    with pytest.raises(CheckpointError, match="is damaged or not a safetensors file"):
        run(quick(), folder=tmp_path)
    assert (tmp_path / NAME).read_text() == "my notes"


def test_the_format_is_the_one_that_is_written(kept):
    with safetensors.safe_open(kept, framework="pt") as file:
        assert file.metadata()["format"] == FORMAT and len(file.metadata()["sha256"]) == 64


# --- two trainings ---


def test_two_trainings_never_share_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PATIENCE", 0.1)
    refused = []

    def second(history):
        with pytest.raises(RunBusy) as error:
            run(quick(), folder=tmp_path)
        refused.append(str(error.value))

    result = run(quick(), folder=tmp_path, on_evaluation=second)
    assert refused == 3 * [f"another process is training in {tmp_path}; wait for it, or choose another folder"]
    assert result.stopped == "steps" and [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_folder_is_waited_for_as_long_as_its_owner_may_take_to_end(tmp_path, monkeypatch):
    import threading

    busy = locked(tmp_path / ".lock", AssertionError())
    busy.__enter__()
    threading.Timer(0.5, lambda: busy.__exit__(None, None, None)).start()
    assert run(quick(steps=2), folder=tmp_path).stopped == "steps"


# --- what is handed over ---


def test_paths_may_be_text(tmp_path):
    result = train(quick(), folder=str(tmp_path), progress=False, device=torch.device("cpu"))
    assert load_model(str(tmp_path / NAME)).config == result.config.model


@pytest.mark.parametrize("config", [None, {}, "lstm", TrainConfig])
def test_what_is_no_configuration_is_one_line(config):
    with pytest.raises(ValueError, match=r"^config must be a TrainConfig; got a \w+$"):
        train(config)


@pytest.mark.parametrize("device", [None, 3, "", "cpu:5", "cpu:abc", "CPU", "meta", "cuda:99", torch.device("meta")])
def test_a_device_that_is_none_is_one_line(device):
    with pytest.raises(ValueError, match=r"^device must be auto or one of cpu.* on this machine; got .*$"):
        pick_device(device)


def test_a_model_that_a_device_lacks_float64_for_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)  # there is none here
    says = r"^norm='mean' with activation='exp' is added in float64, which device 'mps' does not have$"
    with pytest.raises(ConfigError, match=says):
        train(quick(kind="linear_rn", norm="mean"), device="mps")
    for able in ({"kind": "linear_rn"}, {"kind": "lstm"}, {"kind": "causal_rn", "norm": "mean", "activation": "gelu"}):
        quick(**able).model.require_device(torch.device("mps"))
