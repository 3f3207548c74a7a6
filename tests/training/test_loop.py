"""A run from start to end: it learns, repeats itself, stops when told and says when it fails."""

import json
import math
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

import crn_lib
from crn_lib.models import BLOCKS, SequenceModel, build_model
from crn_lib.provenance import COMMIT
from crn_lib.tasks import CopyingTask, teacher_forced
from crn_lib.training import TrainConfig, TrainingDiverged, load_model, loop, train
from crn_lib.training.checkpoints import Checkpoint
from crn_lib.training.interrupts import interrupts_held
from tests.tiny import run, timeless, tiny, weights

# --- learning ---


@pytest.mark.parametrize(("kind", "steps"), [("causal_rn", 150), ("transformer", 200), ("lstm", 300), ("ssm", 300)])
def test_a_model_learns_to_copy_four_letters(kind, steps):
    """Guessing gets one string in 625 right."""
    result = run(tiny(kind, steps=steps, batch=32, evaluate_every=50, evaluation_strings=200))
    assert result.teacher_forced["string_accuracy"] >= 0.8
    assert result.free_running["string_accuracy"] >= 0.8
    first, last = result.history[0], result.history[-1]
    assert last["loss"] < 0.5 * first["loss"] and last["character_accuracy"] > first["character_accuracy"]
    fresh = teacher_forced(result.model, CopyingTask(result.config.task), 200, torch.Generator().manual_seed(99))
    assert fresh["string_accuracy"] >= 0.8


def test_lengths_that_differ_are_learnt_too():
    task = tiny().task
    mixed = type(task)(string_length=4, shortest=1, vocab=5)
    result = run(tiny(task=mixed, steps=300, batch=32, evaluate_every=50, evaluation_strings=200))
    assert result.free_running["string_accuracy"] >= 0.9


@pytest.mark.parametrize("kind", BLOCKS)
def test_the_same_seed_gives_the_same_run(kind):
    torch.manual_seed(1)
    one = run(tiny(kind))
    torch.manual_seed(2)
    two = run(tiny(kind))
    assert timeless(one.history) == timeless(two.history)
    assert all(torch.equal(tensor, weights(two)[name]) for name, tensor in weights(one).items())
    assert (one.teacher_forced, one.free_running) == (two.teacher_forced, two.free_running)


def test_random_places_train_the_embeddings_that_no_string_reaches():
    trained = {}
    for positions in ("learned", "random"):
        result = run(tiny(positions=positions, max_length=20))
        start = build_model(result.config.model, generator=torch.Generator().manual_seed(3 * result.config.seed))
        moved = weights(result)["position_embedding.weight"] != start.position_embedding.weight
        trained[positions] = moved.any(dim=1).tolist()
    assert trained["learned"] == [place < result.config.task.context for place in range(20)]
    assert all(trained["random"])


def test_another_seed_gives_another_run():
    assert timeless(run(tiny()).history) != timeless(run(tiny(seed=1)).history)


def test_training_strings_and_weights_do_not_depend_on_how_often_one_evaluates():
    often, seldom = run(tiny(evaluate_every=1)), run(tiny(evaluate_every=30))
    assert all(torch.equal(tensor, weights(seldom)[name]) for name, tensor in weights(often).items())


def test_every_evaluation_is_on_strings_that_were_not_seen_before(monkeypatch):
    seen: list[tuple[int, ...]] = []
    sample = CopyingTask.sample

    def remember(self: CopyingTask, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        tokens, targets = sample(self, batch, generator)
        seen.append(tuple(tokens.flatten().tolist()))
        return tokens, targets

    monkeypatch.setattr(CopyingTask, "sample", remember)
    run(tiny(task=type(tiny().task)(string_length=4, vocab=5), batch=20))
    assert len(set(seen)) == len(seen) == 30 + 3 + 2  # batches, evaluations, the two at the end


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_reduced_precision_learns(precision):
    result = run(tiny(precision=precision, steps=200, batch=32, evaluation_strings=200))
    assert result.teacher_forced["string_accuracy"] >= 0.9
    assert {tensor.dtype for tensor in weights(result).values()} == {torch.float32}


def test_without_loss_scaling_float16_gradients_lose_digits(monkeypatch):
    """As the optimizer gets them, unscaled again; all three runs have the same weights and strings."""
    clip, gradients = torch.nn.utils.clip_grad_norm_, []

    def keep(parameters, largest):
        parameters = list(parameters)
        gradients.append([parameter.grad.clone() for parameter in parameters])
        return clip(parameters, largest)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", keep)
    for precision in ("float32", "float16", "float16-unscaled"):
        run(tiny(precision=precision, steps=1, batch=1024))
    truth, scaled, unscaled = gradients
    assert all(gradient.isfinite().all() for gradient in scaled)
    errors = [
        [float((ours - right).norm() / right.norm()) for ours, right in zip(found, truth, strict=True)]
        for found in (scaled, unscaled)
    ]
    assert max(errors[0]) < 3e-3 and max(errors[1]) > 10 * max(errors[0])


def test_a_loss_scale_that_is_too_large_costs_steps_and_is_no_divergence(monkeypatch):
    """The scaler leaves out a step whose gradient overflowed, and halves its factor until none does."""
    scaler = torch.amp.GradScaler
    monkeypatch.setattr(torch.amp, "GradScaler", lambda *place, **given: scaler(*place, init_scale=2.0**24, **given))
    result = run(tiny(precision="float16"))
    at_start = run(tiny(precision="float16", steps=1))
    first = crn_lib.models.build_model(tiny().model, generator=torch.Generator().manual_seed(0)).state_dict()
    assert all(torch.equal(tensor, first[name]) for name, tensor in weights(at_start).items())
    assert result.stopped == "steps" and result.history[-1]["loss"] < result.history[0]["loss"]


def test_a_bfloat16_weight_does_not_move_by_less_than_half_its_spacing():
    """At 1 the next bfloat16 is 2**-7 away; Adam's first step is the learning rate, here 2**-9."""
    at_start = weights(run(tiny(precision="bfloat16-weights", steps=1, learning_rate=1e-9)))
    after = weights(run(tiny(precision="bfloat16-weights", steps=1, warmup=0, learning_rate=2**-9)))
    assert {tensor.dtype for tensor in after.values()} == {torch.bfloat16}
    name = "token_embedding.weight"
    large = at_start[name].abs() > 1
    moved = after[name] != at_start[name]
    assert large.any() and not moved[large].any() and moved[~large].any()


def test_adam_in_float16_fails_at_its_first_step_and_the_run_says_so():
    """Its 1e-8 is 0 there, and so is the square of a gradient below 1e-4: it divides by nothing."""
    with pytest.raises(TrainingDiverged, match=r"^the loss is nan at step 1 "):
        run(tiny(precision="float16-weights"))


# --- what is kept of it ---


def test_the_history_has_a_row_an_evaluation_and_one_for_the_last_step():
    calls: list[int] = []
    result = run(tiny(steps=25), on_evaluation=lambda history: calls.append(len(history)))
    assert [row["step"] for row in result.history] == [10, 20, 25]
    assert calls == [1, 2, 3]
    assert result.steps == 25 and result.stopped == "steps"
    fields = {"step", "loss", "learning_rate", "character_accuracy", "string_accuracy", "seconds", "cpu_seconds"}
    assert all(set(row) == fields for row in result.history)
    seconds = [row["seconds"] for row in result.history]
    assert seconds == sorted(seconds) and seconds[0] > 0 and seconds[-1] <= result.seconds


def test_the_loss_of_a_row_is_the_mean_since_the_last_one():
    every, third = run(tiny(steps=6, evaluate_every=1)), run(tiny(steps=6, evaluate_every=3))
    losses = [row["loss"] for row in every.history]
    assert [row["loss"] for row in third.history] == pytest.approx([sum(losses[:3]) / 3, sum(losses[3:]) / 3])
    assert losses[0] == pytest.approx(math.log(8), rel=0.05)  # as good as guessing among 8 tokens


def test_a_small_step_keeps_torch_to_one_thread_and_changes_nothing(monkeypatch, use_threads):
    use_threads(2)
    seen = []
    mean_loss = loop.mean_loss
    monkeypatch.setattr(loop, "mean_loss", lambda *x: seen.append(torch.get_num_threads()) or mean_loss(*x))
    small = weights(run(tiny(steps=2)))
    monkeypatch.setattr("crn_lib.ops.cpu.threads.SMALL", 0)
    large = weights(run(tiny(steps=2)))
    assert seen == [1, 1, 2, 2] and torch.get_num_threads() == 2
    assert all(torch.equal(large[name], weight) for name, weight in small.items())


def test_the_first_step_is_adamw_on_the_cross_entropy_of_the_scored_positions():
    """One step of ours against one written out here."""
    config = tiny(steps=1, warmup=0, clip=1e9, evaluate_every=1)
    weight_stream, data_stream = (torch.Generator().manual_seed(3 * config.seed + stream) for stream in range(2))
    model = crn_lib.models.build_model(config.model, generator=weight_stream)
    tokens, targets = CopyingTask(config.task).sample(config.batch, data_stream)
    scored = targets != -100
    loss = -model(tokens).log_softmax(dim=-1)[scored].gather(1, targets[scored][:, None]).mean()
    loss.backward()
    result = run(config)
    assert result.history[0]["loss"] == pytest.approx(loss.item(), rel=1e-6)
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        expected = parameter - config.learning_rate * gradient / (gradient.abs() + 1e-8)  # Adam's first step
        torch.testing.assert_close(weights(result)[name], expected.detach(), rtol=1e-4, atol=1e-4, msg=name)


def test_the_bar_names_the_model_counts_from_where_the_run_went_on_and_shows_how_it_does(tmp_path, capsys):
    run(tiny(steps=10), folder=tmp_path)
    assert capsys.readouterr().err == "", "asked for no progress"
    result = train(tiny(steps=20), folder=tmp_path, resume=True)
    shown = capsys.readouterr().err.split("\r")
    assert any(line.startswith("training causal_rn:  50%") and " 10/20 [" in line for line in shown)
    last = result.history[-1]
    wanted = f", loss={last['loss']:.3f}, string accuracy={last['string_accuracy']:.0%}]"
    assert any(" 20/20 [" in line and "step" in line and line.endswith(wanted) for line in shown)
    assert shown[-1].strip() == "", "nothing is left of it"


def test_a_row_is_plain_and_complete():
    result = run(tiny())
    row = json.loads(json.dumps(result.row()))
    assert row["model"]["kind"] == "causal_rn" and row["task"]["string_length"] == 4
    assert row["training"]["steps"] == 30 and row["seed"] == 0 and row["dtype"] == "float32"
    assert row["device"] == "cpu" and row["backend"] == "fused" and row["threads"] == torch.get_num_threads()
    assert row["processor"] and row["commit"] == COMMIT
    assert row["versions"]["torch"] == torch.__version__ and set(row["versions"]) >= {"crn_lib", "python"}
    assert row["steps"] == 30 and row["stopped"] == "steps" and row["processes"] == 1
    assert row["seconds"] == round(result.seconds, 2) > 0 and row["cpu_seconds"] == round(result.cpu_seconds, 2) > 0
    assert row["peak_bytes"] > 1e7 if sys.platform.startswith("linux") else row["peak_bytes"] is None
    assert row["character_accuracy"] == result.teacher_forced["character_accuracy"]
    assert row["free_running_string_accuracy"] == result.free_running["string_accuracy"]
    assert row["history"] == result.history
    again = crn_lib.config.from_mapping(TrainConfig, {"model": row["model"], "task": row["task"], **row["training"]})
    assert again == result.config


@pytest.mark.parametrize(("kind", "backend"), [("linear_rn", "linear"), ("transformer", "torch"), ("lstm", "torch")])
def test_the_backend_that_computed_is_named(kind, backend):
    assert run(tiny(kind, steps=1)).backend == backend


# --- stopping ---


def test_a_run_stops_as_soon_as_its_target_is_reached():
    result = run(tiny(steps=400, batch=32, evaluation_strings=100, stop_at=0.9))
    assert result.stopped == "target" and result.steps < 400
    scores = [row["string_accuracy"] for row in result.history]
    assert scores[-1] >= 0.9 > max(scores[:-1])
    assert result.steps == result.history[-1]["step"]


def test_an_interrupt_saves_and_returns_what_there_is(tmp_path):
    def stop(history):
        if len(history) == 2:
            raise KeyboardInterrupt

    result = run(tiny(checkpoint_every=1000), folder=tmp_path, on_evaluation=stop)
    assert result.stopped == "interrupted" and result.steps == 20 and len(result.history) == 2
    assert result.teacher_forced == {} and result.free_running == {}
    kept = load_model(tmp_path / loop.CHECKPOINT_NAME).state_dict()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in weights(result).items())
    json.dumps(result.row())


def test_ctrl_c_inside_a_step_lets_the_step_end(tmp_path, monkeypatch):
    """Half a step, saved, could never be continued bit for bit."""
    clip, calls = torch.nn.utils.clip_grad_norm_, []

    def press_ctrl_c(*arguments):
        calls.append(arguments)
        if len(calls) == 7:
            signal.raise_signal(signal.SIGINT)
        return clip(*arguments)

    whole = run(tiny())
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", press_ctrl_c)
    result = run(tiny(), folder=tmp_path)
    assert result.stopped == "interrupted" and result.steps == 7
    resumed = run(tiny(), folder=tmp_path, resume=True)
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(resumed).items())
    assert timeless(resumed.history) == timeless(whole.history)


@pytest.mark.parametrize(("where", "call", "kept"), [("clip_grad_norm_", 17, 10), ("teacher_forced", 3, 20)])
def test_a_second_ctrl_c_inside_a_step_leaves_the_checkpoint_before_it(tmp_path, monkeypatch, where, call, kept):
    """In the step itself, or in the evaluation that belongs to it."""
    module = loop if where == "teacher_forced" else torch.nn.utils
    real, calls = getattr(module, where), []

    def press_ctrl_c_twice(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    config = tiny(checkpoint_every=10)
    whole = run(config)
    monkeypatch.setattr(module, where, press_ctrl_c_twice)
    assert run(config, folder=tmp_path).stopped == "interrupted"
    monkeypatch.setattr(module, where, real)
    assert Checkpoint.load(tmp_path / loop.CHECKPOINT_NAME).header["step"] == kept
    resumed = run(config, folder=tmp_path, resume=True)
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(resumed).items())
    assert timeless(resumed.history) == timeless(whole.history)


def test_ctrl_c_in_the_last_evaluation_returns_the_result(tmp_path, monkeypatch):
    def press_ctrl_c(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "free_running", press_ctrl_c)
    result = run(tiny(), folder=tmp_path)
    assert result.stopped == "interrupted" and result.steps == 30


def test_a_second_ctrl_c_takes_effect_at_once():
    reached = []

    def interrupted_twice() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            reached.append(1)
            signal.raise_signal(signal.SIGINT)
            reached.append(2)

    with pytest.raises(KeyboardInterrupt):
        interrupted_twice()
    assert reached == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_outside_the_main_thread_leaves_signals_alone():
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run, tiny(steps=3)).result()
    assert result.stopped == "steps"


def test_a_handler_that_somebody_else_set_stays_in_place():
    calls = []
    before = signal.signal(signal.SIGINT, lambda *_: calls.append(1))
    try:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            assert calls == [1]
    finally:
        signal.signal(signal.SIGINT, before)


# --- failing ---


def break_the_loss(monkeypatch, at_step: int, value: float) -> None:
    """From that step on every logit is infinite or NaN."""
    forward, calls = SequenceModel.forward, []

    def broken(self, tokens, *places):
        if self.training and torch.is_grad_enabled():
            calls.append(1)
        logits = forward(self, tokens, *places)
        return logits * value if len(calls) > at_step else logits

    monkeypatch.setattr(SequenceModel, "forward", broken)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_run_and_names_what_is_left(tmp_path, monkeypatch, value):
    break_the_loss(monkeypatch, at_step=14, value=value)
    with pytest.raises(TrainingDiverged) as error:
        run(tiny(), folder=tmp_path)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith("the loss is nan at step 14 with learning rate 0.01; the checkpoint of step 10 is in ")
    assert str(tmp_path / loop.CHECKPOINT_NAME) in message
    result = error.value.result
    assert result.stopped == "diverged" and result.steps == 14 and [row["step"] for row in result.history] == [10]
    json.dumps(result.row())
    load_model(tmp_path / loop.CHECKPOINT_NAME)


def test_without_a_checkpoint_the_message_says_so(monkeypatch):
    break_the_loss(monkeypatch, at_step=3, value=math.nan)
    with pytest.raises(TrainingDiverged, match=r"at step 3 with learning rate 0\.004; no checkpoint was kept;"):
        run(tiny())


def test_a_gradient_that_is_no_number_never_reaches_the_weights(tmp_path, monkeypatch):
    """The loss is still finite at that step, and a checkpoint right behind it would keep NaN as the last good state."""
    clip, calls = torch.nn.utils.clip_grad_norm_, []

    def poison(parameters, largest):
        parameters = list(parameters)
        calls.append(1)
        if len(calls) == 20:
            parameters[0].grad[0, 0] = math.nan
        return clip(parameters, largest)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", poison)
    with pytest.raises(TrainingDiverged, match=r"^the gradient's norm is nan at step 19 .* checkpoint of step 10"):
        run(tiny(), folder=tmp_path)
    kept = load_model(tmp_path / loop.CHECKPOINT_NAME)
    assert all(tensor.isfinite().all() for tensor in kept.state_dict().values())


def test_a_device_that_is_not_here_is_refused():
    with pytest.raises(ValueError, match=r"^device must be auto or one of cpu.*; got 'tpu'$"):
        train(tiny(), device="tpu", progress=False)


# --- the acceptance of the core ---


@pytest.mark.slow
def test_within_300_steps_the_causalrn_copies_16_letters_and_the_linear_form_does_not():
    accuracy = {}
    for kind in ("causal_rn", "linear_rn"):
        model = crn_lib.models.ModelConfig(kind=kind, width=64, blocks=4, max_length=34)
        config = TrainConfig(model=model, task=crn_lib.tasks.CopyingConfig(string_length=16), stop_at=1.0)
        assert (config.steps, config.batch, config.learning_rate) == (300, 64, 2e-3)
        accuracy[kind] = train(config, progress=False).free_running["string_accuracy"]
    assert accuracy["causal_rn"] >= 0.95
    assert accuracy["linear_rn"] < 0.5


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop.Checkpoint, "save", full)
    with pytest.warns(UserWarning, match=r"step 4 was not saved in .*No space left"):
        result = run(tiny(steps=4), folder=tmp_path)
    assert result.steps == 4 and result.stopped == "steps" and result.free_running
