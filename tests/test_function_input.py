"""What public functions refuse, in one line of the library's own that names what was wrong."""

import math

import pytest
import torch

from crn_lib import viz
from crn_lib.analysis.rank import memory_rank, pair_values
from crn_lib.analysis.readable import readable_senders
from crn_lib.config import ConfigError
from crn_lib.models import ModelConfig, build_model
from crn_lib.ops import Pool, RunningSum, factorises, pool_step, pre_activation, relation, running_step, which_backend
from crn_lib.ops.window import window_relation
from crn_lib.tasks import (
    ClosePairsConfig,
    ClosePairsTask,
    CopyingConfig,
    CopyingTask,
    CopyTrace,
    best_character_accuracy,
    bits_carried,
    letters_that_fit,
    string_bits,
    teacher_forced,
)
from crn_lib.training import TrainConfig

ROWS = torch.zeros(1, 2, 4)
ROW = ROWS[0]
POOL, SUM = Pool(2, 4, dtype=ROW.dtype), RunningSum(2, 4, dtype=ROW.dtype)
EXACT = {"norm": "exact"}
ACTIVATION = "activation must be one of exp, relu, squared_relu, gelu, elu, softplus, identity; got 'x'"
TASK = CopyingTask(CopyingConfig(string_length=3))
MODEL = build_model(ModelConfig(width=8, blocks=1, max_length=10))
TRACE = CopyTrace("ab", "ab>", (0.1, 0.2, 0.3), (1, 2, 3, 4))
POINTS = [{"step": 1, "median": 1, "low": 1, "high": 1}]

WRONG = {
    "causal in words": (lambda: relation(ROWS, ROWS, causal="no"), "causal must be True or False; got 'no'"),
    "causal of nothing": (lambda: relation(ROWS, ROWS, causal=None), "causal must be True or False; got None"),
    "rescale in words": (lambda: relation(ROWS, ROWS, rescale="no"), "rescale must be True or False; got 'no'"),
    "8 bits": (lambda: relation(*2 * [ROWS.to(torch.float8_e4m3fn)]), "of 16, 32 or 64 bits; got torch.float8_e4m3fn"),
    "sparse": (lambda: relation(*2 * [ROWS.to_sparse()]), "a must be a dense tensor; got torch.sparse_coo"),
    "complex": (lambda: relation(*2 * [ROWS.to(torch.complex64)]), "of 16, 32 or 64 bits; got torch.complex64"),
    "no device": (lambda: which_backend(device="abc"), "device must be one that torch has a name for; got 'abc'"),
    "device None": (lambda: which_backend(device=None), "device must be one that torch has a name for; got None"),
    "head width": (lambda: which_backend(head_width="3"), "head_width must be a whole number >= 1; got '3'"),
    "factorises": (lambda: factorises("x", "exp"), "norm must be one of exact, approx, none"),
    "pre-activation": (lambda: pre_activation(ROWS, ROWS, "x"), "norm must be one of exact, approx, none"),
    "activation of a step": (lambda: pool_step(ROW, ROW, POOL, **EXACT, activation="x", heads=1), ACTIVATION),
    "activation of a window": (lambda: window_relation(ROWS, ROWS, window=2, **EXACT, activation="x"), ACTIVATION),
    "activation of pairs": (lambda: pair_values(ROW, ROW, activation="x"), ACTIVATION),
    "activation of a rank": (lambda: memory_rank(ROW, ROW, activation=None), "activation must be one of exp, relu"),
    "activation to read": (lambda: readable_senders("x", 64), ACTIVATION),
    "norm of a step": (lambda: pool_step(ROW, ROW, POOL, norm="x", activation="exp", heads=1), "norm must be one of"),
    "norm of a sum": (lambda: running_step(ROW, ROW, SUM, **EXACT, heads=1), "norm must be one of approx, none, mean;"),
    "seed": (lambda: TrainConfig(seed=2**63), "seed must be a whole number from 0 to 1000000000000000000; got"),
    "decay": (lambda: TrainConfig(weight_decay=10**400), "weight_decay must be a number >= 0; got 1000"),
    "clip": (lambda: TrainConfig(clip=math.inf), "clip must be a number >= 1e-09; got inf"),
    "one column": (lambda: ModelConfig(width=1), "width must be at least 2 for norm 'exact', 2 a head; got 1"),
    "one column a head": (lambda: ModelConfig(width=4, heads=4, norm="mean"), "at least 8 for norm 'mean'"),
    "width": (lambda: ModelConfig(width=10**15), "from 1 to 1000000000; got 1000000000000000"),
    "model of a mapping": (lambda: build_model({}), "config must be a ModelConfig; got a dict"),
    "tokens of a list": (lambda: MODEL([[0, 1]]), r"tokens must be (batch, length) and not empty; got a list"),
    "steps": (lambda: MODEL.generate(torch.tensor([[0]]), "3"), "steps must be a whole number >= 1; got '3'"),
    "steps true": (lambda: MODEL.generate(torch.tensor([[0]]), True), "steps must be a whole number >= 1; got True"),
    "steps beyond": (lambda: MODEL.generate(torch.tensor([[0]]), 11), "steps must be from 1 to 10"),
    "batch of a state": (lambda: MODEL.init_state(2.5), "batch must be a whole number >= 1; got 2.5"),
    "bytes of a state": (lambda: MODEL.state_bytes(-1), "length must be a whole number"),
    "bytes beyond": (lambda: MODEL.state_bytes(11), "length must be a whole number from 1 to 10; got 11"),
    "no generator": (lambda: TASK.sample(3, None), "generator must be a torch.Generator; got a NoneType"),
    "no generator for scenes": (
        lambda: ClosePairsTask(ClosePairsConfig()).sample(3, None),
        "generator must be a torch.Generator; got a NoneType",
    ),
    "no generator for scores": (lambda: teacher_forced(MODEL, TASK, 3, None), "generator must be a torch.Generator"),
    "a batch of 10**12": (lambda: TASK.sample(10**12, torch.Generator()), "batch must be a whole number from 1 to"),
    "text": (lambda: TASK.encode(None), "the string must be text; got a NoneType"),
    "a token of 3.5": (lambda: TASK.decode(torch.tensor([3.5])), "have a text form; got token id"),
    "no letter": (lambda: string_bits(8, 0), "vocab must be a whole number >= 1; got 0"),
    "one letter": (lambda: letters_that_fit(8, 1), "vocab must be a whole number >= 2; got 1"),
    "accuracy": (lambda: bits_carried(1.5, 4), "character_accuracy must be a number from 0 to 1; got 1.5"),
    "accuracy NaN": (lambda: bits_carried(math.nan, 4), "character_accuracy must be a number from 0 to 1; got nan"),
    "best of no letter": (lambda: best_character_accuracy(8, 4, 0), "vocab must be a whole number >= 1; got 0"),
    "written": (lambda: viz.draw_copy(TRACE, -1), "written must be a whole number >= 0; got -1"),
    "a bound of one letter": (lambda: viz.draw_bits_bound(vocab=1), "vocab must be a whole number >= 2; got 1"),
    "metric": (lambda: viz.draw_training_curves({}, metric="x"), "metric must be one of character_accuracy, string"),
    "metric of curves": (lambda: viz.draw_copying_curves({("lstm", 4): POINTS}, metric="x"), "metric must be one of"),
    "kind": (lambda: viz.draw_training_curves({"x": []}), "kind must be one of causal_rn, transformer"),
    "kind's name": (lambda: viz.KIND_NAMES["x"], "kind must be one of causal_rn, transformer"),
    "kind of a course": (lambda: viz.draw_retrieval_course([[]], "x"), "kind must be one of causal_rn"),
    "unit": (lambda: viz.draw_steps_to_solve([{}], unit="x"), "unit must be one of steps, seconds; got 'x'"),
    "chosen": (lambda: viz.draw_norm_costs({}, chosen="x", length=3), "chosen must be one of"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "says"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_one_line(call, says):
    with pytest.raises((ConfigError, ValueError, TypeError)) as error:
        call()
    assert says in str(error.value) and "\n" not in str(error.value)


EMPTY = {
    "draw_accuracy_against_state": ([], {"string_length": 3}),
    "draw_accuracy_by_state": ([], {}),
    "draw_bench": ([], {"cases": []}),
    "draw_copying_curves": ({}, {}),
    "draw_cost_check": ([], {"title": ""}),
    "draw_exponent_bound": ({}, {"widths": [], "marked": {}}),
    "draw_broken_tensors": ({}, {}),
    "draw_error_map": ({}, {"magnitudes": []}),
    "draw_jump_or_slope": ({}, {"steps": 3, "string_length": 3}),
    "draw_memory": ([], {}),
    "draw_multiples": (print, {"settings": {}}),
    "draw_other_lengths": ([], {"shortest": 3}),
    "draw_pair_scale": ([], {"scales": [], "asked": [], "curve": {}}),
    "draw_retrieval_course": ([], {"kind": "causal_rn"}),
    "draw_scaling": ([], {"length": 3, "what": ""}),
    "draw_seed_accuracies": ({}, {"most_common": 0.5, "title": ""}),
    "draw_singular_values": ({}, {"tolerance": 0.1}),
    "draw_stalled_sums": ({}, {"length": 3}),
    "draw_steps_to_solve": ([], {}),
    "draw_close_pairs": ([], {"close": [], "captions": [], "radius": 1, "edge": 2, "title": ""}),
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_draw_is_said_and_no_blank_figure_drawn(name):
    data, options = EMPTY[name]
    with pytest.raises(ValueError, match=r"^(nothing to draw: there is no |nothing to draw: no |there is no row) ?\w+"):
        getattr(viz, name)(data, **options)


def test_kinds_that_are_asked_for_only_are_no_error():
    assert "lstm" in viz.KIND_NAMES and "x" not in viz.KIND_NAMES and viz.KIND_NAMES.get("lstm") == "LSTM"


def test_a_step_that_is_refused_leaves_what_is_remembered_as_it_was():
    pool, state = Pool(2, 4, dtype=ROW.dtype), RunningSum(2, 4, dtype=ROW.dtype)
    for wrong in ({"norm": "x", "activation": "exp"}, {"norm": "exact", "activation": "x"}):
        with pytest.raises(ConfigError):
            pool_step(ROW, ROW, pool, **wrong, heads=1)
    with pytest.raises(ConfigError):
        running_step(ROW, ROW, state, norm="exact", heads=1)
    assert pool.lengths.tolist() == state.lengths.tolist() == [0, 0] and pool.rows.shape[1] == 0
