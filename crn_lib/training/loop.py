"""The training loop: interruptible, resumable, and honest about where it ran."""

import math
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from crn_lib.config import ConfigError, from_mapping, require, to_mapping
from crn_lib.device import Device, pick_device
from crn_lib.measure import peak_memory, reset_peak_memory
from crn_lib.models import build_model
from crn_lib.ops import which_backend
from crn_lib.ops.cpu.threads import is_small, kernels_only
from crn_lib.tasks import CopyingTask, build_task, mean_loss
from crn_lib.tasks.evaluate import free_running, score, teacher_forced
from crn_lib.tasks.loss import places_to_compute
from crn_lib.training.checkpoints import Checkpoint, CheckpointError, NotThisRun, own_folder, restore_model
from crn_lib.training.config import PRECISIONS, TrainConfig
from crn_lib.training.distributed import Processes, processes
from crn_lib.training.result import RunResult, TrainingDiverged

CHECKPOINT_NAME = "checkpoint.safetensors"


def train(
    config: TrainConfig,
    *,
    device: Device = "auto",
    folder: Path | str | None = None,
    resume: bool = False,
    progress: bool = True,
    on_evaluation: Callable[[list[dict[str, float]]], None] | None = None,
) -> RunResult:
    """Train a model from its configuration; under `torchrun`, on all its processes together (`distributed.py`).

    Args:
        device: `auto`, `cpu`, `cuda` or `mps`.
        folder: where the checkpoint is kept; none is written where it is not given.
        resume: go on from the folder's checkpoint, bit for bit on the same machine; from the start if there is none.
        progress: show a bar with rate, loss and accuracy.
        on_evaluation: called with the history after each evaluation, for a live curve.

    Returns:
        The result; also after Ctrl-C, with `stopped == "interrupted"` and the checkpoint saved, or, after a second one
        in the middle of a step, the last checkpoint kept.

    Raises:
        TrainingDiverged: the loss, or the gradient's norm, is no longer finite.
        ConfigError: under torchrun, a batch that does not divide by the number of processes.
        CheckpointError: the folder cannot be written, or its checkpoint is damaged or belongs to another
            configuration, or to more steps than are asked for; it is never replaced.
        RunBusy: another process trains in the folder.
        ConfigError: the device is not here, or lacks what the model needs.
    """
    require(isinstance(config, TrainConfig), f"config must be a TrainConfig; got a {type(config).__name__}")
    place, _ = pick_device(device)
    config.model.require_device(place)
    path = Path(folder) / CHECKPOINT_NAME if folder is not None else None
    with processes(place) as team, own_folder(path.parent) if path and team.first else nullcontext():
        require(
            config.batch % team.size == 0,
            f"batch must be a multiple of the {team.size} processes that share it; got {config.batch}, "
            f"so choose {max(1, round(config.batch / team.size)) * team.size}",
        )
        run = _Run(config, team, path)
        if path is not None and path.exists():
            run.restore(path, resume)
        run.check_same_start()
        with tqdm(
            total=config.steps,
            initial=run.step,
            desc=f"training {config.model.kind}",
            unit="step",
            disable=not (progress and team.first),
            leave=False,
        ) as bar:
            return run.to_the_end(bar, on_evaluation if team.first else None)


class _Run:
    """The moving parts of one training run."""

    def __init__(self, config: TrainConfig, team: Processes, path: Path | None) -> None:
        device = team.device
        self.config, self.team, self.device, self.path = config, team, device, path
        weights, self.data, self.evaluation = (
            torch.Generator().manual_seed(3 * config.seed + stream) for stream in range(3)
        )
        self.precision = PRECISIONS[config.precision]
        self.model = build_model(config.model, generator=weights).to(device, self.precision.weights)
        self.shared_model = team.wrap(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.precision.scaled)
        self.task = build_task(config.task)
        self.step = 0
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.history: list[dict[str, float]] = []
        self.losses: list[float] = []
        self.saved_at: int | None = None
        self.unsaved = False
        self.whole = True

    def to_the_end(self, bar: "tqdm[Any]", on_evaluation: Callable[[list[dict[str, float]]], None] | None) -> RunResult:
        config, tick = self.config, self._clock()
        reset_peak_memory(self.device)
        try:
            while self.step < config.steps and not self._target_reached():
                with self.team.interrupts_held():
                    self.whole = False  # until the end of the step, which a second Ctrl-C may cut off
                    self.losses.append(self._train_step())
                    self.step += 1
                    tick()
                    evaluated = self.step % config.evaluate_every == 0 or self.step == config.steps
                    if evaluated:
                        self._evaluate()
                    self.whole = True
                bar.update()
                if evaluated:
                    row = self.history[-1]
                    main = self.task.main_metric
                    bar.set_postfix({"loss": f"{row['loss']:.3f}", main.replace("_", " "): f"{row[main]:.0%}"})
                    if on_evaluation is not None:
                        on_evaluation(self.history)
                if self.step % config.checkpoint_every == 0 or (evaluated and self.unsaved):
                    self._save()
            stopped = "target" if self._target_reached() else "steps"
        except KeyboardInterrupt:
            stopped = "interrupted"
        tick()
        self._save()
        result = self._result(stopped)
        if stopped == "interrupted":
            return result
        try:
            strings = config.evaluation_strings
            held_out = self.task.held_out(strings, "test")
            result.held_out = None if held_out is None else len(held_out[0])
            problems = held_out or self.task.sample(strings, self.evaluation)
            result.teacher_forced = score(self.model, self.task, *problems)
            if isinstance(self.task, CopyingTask):
                result.free_running = free_running(self.model, self.task, strings, self.evaluation)
        except KeyboardInterrupt:
            result.stopped = "interrupted"
        return result

    def _clock(self) -> Callable[[], None]:
        """A function that brings `seconds` and `cpu_seconds` up to date, added to those of earlier sittings."""
        seconds, cpu_seconds = self.seconds, self.cpu_seconds
        started, cpu_started = time.perf_counter(), time.process_time()

        def tick() -> None:
            self.seconds = seconds + time.perf_counter() - started
            self.cpu_seconds = cpu_seconds + time.process_time() - cpu_started

        return tick

    def restore(self, path: Path, resume: bool) -> None:
        """Go on where the checkpoint ended; where that is not asked for, only see that it is this run's."""
        checkpoint = Checkpoint.load(path)
        header = checkpoint.header
        self._check_same_run(header.get("config", {}), path)
        if not resume:
            return
        restore_model(self.model, checkpoint, path)
        if header.get("step", 0) > self.config.steps:
            raise NotThisRun(
                f"{path} has made {header['step']} steps, more than the {self.config.steps} that are asked for; ask "
                "for as many or more, or use another folder"
            )
        try:
            for index, parameter in enumerate(self.model.parameters()):
                held = checkpoint.part(f"optimizer.{index}")
                self.optimizer.state[parameter] = {
                    name: tensor.clone() if name == "step" else tensor.to(self.device, copy=True)
                    for name, tensor in held.items()
                }
            self.data.set_state(checkpoint.tensors["generator.data"])
            self.evaluation.set_state(checkpoint.tensors["generator.evaluation"])
            self.scaler.load_state_dict(header["scaler"])
            self.step = self.saved_at = header["step"]
            self.seconds, self.cpu_seconds = header["seconds"], header["cpu_seconds"]
            self.history, self.losses = header["history"], header["losses"]
        except (KeyError, TypeError, RuntimeError) as error:
            raise NotThisRun(f"{path} does not hold all that a run goes on from ({error})") from None

    def check_same_start(self) -> None:
        """Raise `CheckpointError` unless all processes go on from the same step: one of another would wait for ever."""
        if self.team.agreed(self.step) != self.step:
            raise CheckpointError(
                f"process {self.team.rank} does not see the checkpoint that process 0 goes on from: {self.path} must "
                "be on a file system that all machines share"
            )

    def _train_step(self) -> float:
        config = self.config
        rate = config.learning_rate_at(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        tokens, targets = self.task.sample(config.batch, self.data)
        positions = self.model.draw_positions(tokens.shape[0], tokens.shape[1], self.data)
        if positions is not None:
            positions = self.team.own(positions).to(self.device)
        tokens, targets, weight = self.team.share(tokens, targets)
        at = places_to_compute(self.model, targets)
        at = None if at is None else at.to(self.device)
        tokens, targets = tokens.to(self.device), targets.to(self.device)
        products, weights = self.precision.products, self.precision.weights
        with kernels_only(is_small(tokens, config.model.width)):  # the model does so by itself, but its loss would not
            with torch.autocast(self.device.type, products, enabled=products is not weights):
                outputs = self.shared_model(tokens, positions, at)
            loss = weight * mean_loss(outputs.float(), targets if at is None else targets[at])
            value = self.team.mean(loss)
            if not math.isfinite(value):
                self._diverged(f"the loss is {value}", rate)
            self.optimizer.zero_grad()
            self.scaler.scale(loss).backward()
            self.scaler.unscale_(self.optimizer)
            norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip).item()
            # The scaler skips such a step by itself; anywhere else it would make every weight NaN.
            if not math.isfinite(norm) and not self.scaler.is_enabled():
                self._diverged(f"the gradient's norm is {norm}", rate)
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return value

    def _evaluate(self) -> None:
        scores = teacher_forced(self.model, self.task, self.config.evaluation_strings, self.evaluation)
        main = self.task.main_metric
        require(main in scores, f"the main metric {main!r} is not among those that the task gives: {list(scores)}")
        row = {
            "step": self.step,
            "loss": sum(self.losses) / len(self.losses),
            "learning_rate": self.config.learning_rate_at(self.step - 1),
            **self.team.agreed(scores),
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
        }
        self.history.append(row)
        self.losses = []

    def _target_reached(self) -> bool:
        target = self.config.stop_at
        return target is not None and bool(self.history) and self.history[-1][self.task.main_metric] >= target

    def _diverged(self, what: str, rate: float) -> None:
        kept = (
            f"the checkpoint of step {self.saved_at} is in {self.path}" if self.saved_at else "no checkpoint was kept"
        )
        raise TrainingDiverged(
            f"{what} at step {self.step} with learning rate {rate:g}; {kept}; try a smaller learning "
            "rate or precision float32",
            self._result("diverged"),
        )

    def _save(self) -> None:
        if self.path is None or not self.team.first or self.saved_at == self.step or not self.whole:
            return
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for index, parameter in enumerate(self.model.parameters()):
            state = self.optimizer.state.get(parameter, {})
            tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
        tensors["generator.data"] = self.data.get_state()
        tensors["generator.evaluation"] = self.evaluation.get_state()
        header = {
            "config": to_mapping(self.config),
            "step": self.step,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "history": self.history,
            "losses": self.losses,
            "scaler": self.scaler.state_dict(),
        }
        try:
            Checkpoint(tensors, header).save(self.path)
        except OSError as error:  # a full disk must not cost the run that is still in memory
            warnings.warn(f"the checkpoint of step {self.step} was not saved in {self.path}: {error}", stacklevel=2)
            self.unsaved = True  # tried again at the next evaluation
            return
        self.saved_at, self.unsaved = self.step, False

    def _check_same_run(self, held: dict[str, Any], path: Path) -> None:
        wanted = to_mapping(self.config)
        try:
            held = to_mapping(from_mapping(TrainConfig, held))  # a field that is newer than the file has its default
        except ConfigError as error:
            raise NotThisRun(f"{path} holds no valid configuration ({error})") from None
        free = {"steps"} if self.config.schedule == "constant" else set()  # a cosine ends where steps ends
        different = [name for name in wanted if name not in free and held.get(name) != wanted[name]]
        if different:
            raise NotThisRun(
                f"{path} belongs to another run: {', '.join(different)} differ; use its configuration or another "
                "folder, or remove it"
            )

    def _result(self, stopped: str) -> RunResult:
        model = self.config.model
        backend = "torch"
        if model.norm is not None and model.activation is not None:
            head_width = model.inner_width // model.heads
            backend = which_backend(model.norm, model.activation, device=self.device, head_width=head_width).name
        return RunResult(
            config=self.config,
            model=self.model,
            history=self.history,
            steps=self.step,
            seconds=self.seconds,
            cpu_seconds=self.cpu_seconds,
            stopped=stopped,
            device=str(self.device),
            backend=backend,
            peak_bytes=peak_memory(self.device),
            processes=self.team.size,
        )
