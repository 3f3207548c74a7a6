"""What public functions refuse, in one line of the library's own that names what was wrong."""

import math

import numpy as np
import pytest
import torch

from crn_lib import data, viz
from crn_lib.analysis.rank import memory_rank, pair_values
from crn_lib.analysis.readable import readable_senders
from crn_lib.config import ConfigError
from crn_lib.data import DataError, Images, Sentences
from crn_lib.data.pictures import cifar5m, cifar10, mnist
from crn_lib.data.sentences import glue, sentiment, superglue
from crn_lib.models import ModelConfig, build_model
from crn_lib.ops import Pool, RunningSum, factorises, pool_step, pre_activation, relation, running_step, which_backend
from crn_lib.ops.window import window_relation
from crn_lib.tasks import (
    ClosePairsConfig,
    ClosePairsTask,
    CopyingConfig,
    CopyingTask,
    CopyTrace,
    NgramLookupConfig,
    NgramLookupTask,
    RegressionConfig,
    RegressionTask,
    SentencesConfig,
    SentencesTask,
    best_character_accuracy,
    best_string_accuracy,
    bits_carried,
    least_squares,
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
NO_TEXT, TEXT, BLANKS = (np.frombuffer(held, dtype=np.uint8) for held in (b"", b"a word", b" \n "))
PIXELS, CLASSES = np.zeros((2, 4, 4, 1), np.uint8), np.array([0, 1])
IMAGES, NO_IMAGES, SMALL = Images(PIXELS, CLASSES), Images(PIXELS[:0], CLASSES[:0]), Images(PIXELS[:, :2, :2], CLASSES)
REVIEWS = SentencesTask(SentencesConfig(source="glue/rte", longest=8))
LOOKUP = NgramLookupTask(NgramLookupConfig(string_length=8))
SEED = "seed must be a whole number from 0 to 1000000000000000000; got "
NOT_EMPTY = "must be bytes, an array of uint8 in one dimension, and not empty; got an array of "
NO_CLASS = "must be classes, whole numbers >= 0, and at least one; got []"
POINTS_SAY = "x must be (batch, points, dims), with a point, and y (batch, points); got "

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
    "seed below 0": (lambda: data.digits(-1), SEED + "-1"),
    "seed in words": (lambda: data.digits("a"), SEED + "'a'"),
    "half a seed": (lambda: data.digits(0.5), SEED + "0.5"),
    "seed None": (lambda: data.digits(None), SEED + "None"),
    "seed true": (lambda: data.digits(True), SEED + "True"),
    "seed of MNIST": (lambda: mnist("nowhere", -1), SEED + "-1"),
    "seed of CIFAR-10": (lambda: cifar10("nowhere", "a"), SEED + "'a'"),
    "seed of CIFAR-5M": (lambda: cifar5m("nowhere", 0.5), SEED + "0.5"),
    "seed of reviews": (lambda: sentiment("nowhere", -1), SEED + "-1"),
    "seed of GLUE": (lambda: glue("rte", None, -1), SEED + "-1"),
    "seed of SuperGLUE": (lambda: superglue("cb", None, -1), SEED + "-1"),
    "path 3": (lambda: data.names(3), "the path to look for dist.female.first must be text or a pathlib.Path; got 3;"),
    "path of bytes": (lambda: data.names(b"x"), "must be text or a pathlib.Path; got b'x'; get them by: pip install"),
    "no text to pack": (lambda: data.bz2_bits_per_byte(NO_TEXT), f"text {NOT_EMPTY}uint8 of shape (0,)"),
    "text to pack": (lambda: data.bz2_bits_per_byte("text"), "and not empty; got 'text'"),
    "numbers to pack": (lambda: data.bz2_bits_per_byte(CLASSES), f"text {NOT_EMPTY}int64 of shape (2,)"),
    "after text": (lambda: data.bz2_bits_per_byte(TEXT, "x"), "after must be bytes, an array of uint8 in one dimen"),
    "no text to count": (lambda: data.unigram_bits_per_byte(NO_TEXT), f"text {NOT_EMPTY}uint8 of shape (0,)"),
    "counted text": (lambda: data.unigram_bits_per_byte(TEXT, "x"), "counted must be bytes, an array of uint8 in one"),
    "no text of words": (lambda: data.perplexity_per_word(1.0, NO_TEXT), f"text {NOT_EMPTY}uint8 of shape (0,)"),
    "no words": (lambda: data.perplexity_per_word(1.0, BLANKS), "text must have a word; all its 3 bytes are blanks"),
    "bits NaN": (lambda: data.perplexity_per_word(math.nan, TEXT), "bits_per_byte must be a number >= 0; got nan"),
    "bits beyond": (lambda: data.perplexity_per_word(1e9, TEXT), "bits_per_byte must leave less than 1024 bits a word"),
    "no classes": (lambda: data.majority_accuracy([], []), f"train {NO_CLASS}"),
    "no classes asked": (lambda: data.majority_accuracy([1], []), f"test {NO_CLASS}"),
    "a class below 0": (lambda: data.majority_accuracy([1, -1], [1]), "train must be classes, whole numbers >= 0,"),
    "a class in words": (lambda: data.majority_accuracy([1], ["a"]), "and at least one; got ['a']"),
    "classes in rows": (lambda: data.majority_accuracy([[1], [1, 2]], [1]), "and at least one; got [[1], [1, 2]]"),
    "a class alone": (lambda: data.majority_accuracy([1], 1), "test must be classes, whole numbers >= 0, and at least"),
    "no images": (lambda: data.nearest_neighbour_accuracy(NO_IMAGES, IMAGES), "train.classes must be classes, whole"),
    "no images asked": (lambda: data.ridge_accuracy(IMAGES, NO_IMAGES), "test.classes must be classes, whole numbers"),
    "images of two sizes": (
        lambda: data.nearest_neighbour_accuracy(IMAGES, SMALL), "the size of train's; got 2 x 2 x 1 and 4 x 4 x 1",
    ),
    "a line through two sizes": (lambda: data.ridge_accuracy(SMALL, IMAGES), "got 4 x 4 x 1 and 2 x 2 x 1"),
    "images without classes": (
        lambda: data.ridge_accuracy(IMAGES._replace(classes=CLASSES[:1]), IMAGES),
        "train must have a class for each image; got 2 and 1",
    ),
    "flat images": (
        lambda: data.ridge_accuracy(IMAGES._replace(pixels=PIXELS[0]), IMAGES),
        "train.pixels must be uint8 of shape (n, side, side, channels); got an array of uint8 of shape (4, 4, 1)",
    ),
    "pixels alone": (lambda: data.ridge_accuracy(IMAGES, PIXELS), "test must be Images; got an array of uint8"),
    "penalty": (lambda: data.ridge_accuracy(IMAGES, IMAGES, -1), "penalty must be a number >= 0; got -1"),
    "no penalty": (lambda: data.ridge_accuracy(IMAGES, IMAGES, 0), "penalty must be larger where pixels are equal"),
    "no sentences to count": (
        lambda: data.ngram_bayes_accuracy(Sentences([], []), Sentences([("a",)], [0])), "train must have a class for",
    ),
    "no sentences to name": (
        lambda: data.ngram_bayes_accuracy(Sentences([("a",)], [0]), Sentences([], [])), "test must have a class for",
    ),
    "no n": (
        lambda: data.ngram_bayes_accuracy(*2 * [Sentences([("a",)], [0])], (0,)), "an n of sizes must be a whole",
    ),
    "a size alone": (
        lambda: data.ngram_bayes_accuracy(*2 * [Sentences([("a",)], [0])], 3),  # type: ignore[arg-type]
        "sizes must be whole numbers, as in (3, 4, 5); got 3",
    ),
    "no sentences": (
        lambda: REVIEWS.lay_out(Sentences([], [])),
        "what is laid out must have a class for each sentence, and at least one; it has 0 sentences and 0 classes",
    ),
    "a class too few": (lambda: REVIEWS.lay_out(Sentences([("a",)] * 2, [1])), "it has 2 sentences and 1 classes"),
    "a class of seven": (
        lambda: REVIEWS.lay_out(Sentences([("a",)], [7])), "item 1 must have a class from 0 to 1; it has 7",
    ),
    "a sentence alone": (
        lambda: REVIEWS.lay_out(Sentences(["good"], [1])), "a tuple of parts, of one at least; it is 'good'",
    ),
    "no parts": (lambda: REVIEWS.lay_out(Sentences([()], [1])), "a tuple of parts, of one at least; it is ()"),
    "no sentence": (lambda: REVIEWS.lay_out(None), "what is laid out must be Sentences; got None"),
    "many parts": (
        lambda: REVIEWS.lay_out(Sentences([("a",) * 9], [1])), "a sentence of 9 parts needs a longest of 17 at least,",
    ),
    "letters of a string": (lambda: string_bits("a"), "string_length must be a whole number >= 0; got 'a'"),
    "letters below 0": (lambda: bits_carried(0.5, -1), "string_length must be a whole number >= 0; got -1"),
    "bits in words": (lambda: letters_that_fit("a"), "bits must be a number >= 0; got 'a'"),
    "bits below 0": (lambda: best_string_accuracy(-1, 4), "bits must be a number >= 0; got -1"),
    "bits of letters": (lambda: best_character_accuracy(None, 4), "bits must be a number >= 0; got None"),
    "strings of other shape": (
        lambda: TASK.lay_out(torch.tensor([3, 4]), torch.tensor([2])),
        "letters must be (batch, longest) and lengths (batch,); got (2,) and (1,)",
    ),
    "a length below 0": (
        lambda: TASK.lay_out(torch.tensor([[3, 4]]), torch.tensor([-1])), "lengths must be from 0 to 2, the letters of",
    ),
    "a letter that is none": (
        lambda: TASK.lay_out(torch.tensor([[3, 29]]), torch.tensor([2])), "must be token ids from 3 to 28; got [29]",
    ),
    "no SEP": (lambda: TASK.prompts(torch.tensor([[0, 3]])), "tokens must be (batch, length) with a SEP in every row"),
    "no strings": (lambda: TASK.metrics(*2 * [torch.zeros(0, 8).long()]), "targets must have a row; got none"),
    "no scenes": (
        lambda: ClosePairsTask(ClosePairsConfig()).metrics(*2 * [torch.zeros(0).long()]), "targets must have a scene;",
    ),
    "a short string": (
        lambda: LOOKUP.lay_out(torch.zeros(1, 7).long(), torch.tensor([0])), "strings must be (batch, 8) and starts",
    ),
    "a start too late": (
        lambda: LOOKUP.lay_out(torch.zeros(1, 8).long(), torch.tensor([3])), "starts must be from 0 to 2; got [3]",
    ),
    "y for another x": (lambda: least_squares(ROWS, ROW), POINTS_SAY + "(1, 2, 4) and (2, 4)"),
    "y of one sequence": (
        lambda: RegressionTask(RegressionConfig()).lay_out(torch.zeros(2, 3, 5), torch.zeros(1, 3)),
        POINTS_SAY + "(2, 3, 5) and (1, 3)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "says"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_one_line(call, says):
    with pytest.raises((ConfigError, DataError, ValueError, TypeError)) as error:
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
