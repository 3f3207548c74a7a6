"""Images as sequences: which pixel stands where, which image is of which part, and what is scored."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.data import DataError, Images, Split, digits
from crn_lib.data.sources import IMAGES
from crn_lib.tasks import NOT_SCORED, ImagesConfig, ImagesTask
from tests.tasks.data_cases import check_splits_are_used, config_of, trained
from tests.tiny import run

LAYOUTS = {"patches": (17, 4), "pixels": (65, 1), "permuted": (65, 1)}


def task_of(layout: str = "patches", **fields: object) -> ImagesTask:
    return ImagesTask(ImagesConfig(layout=layout, **fields))  # type: ignore[arg-type]


def numbered(side: int, channels: int = 1) -> torch.Tensor:
    """An image whose every pixel is its row, its column and its channel, as a number of three digits."""
    row, column, channel = np.indices((side, side, channels))
    return torch.tensor(100 * row + 10 * column + channel).float()[None]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sequence_is_an_image_in_pieces_and_a_place_to_read_out(layout, generator) -> None:
    task = task_of(layout)
    vectors, targets = task.sample(6, generator)
    length, width = LAYOUTS[layout]
    assert vectors.shape == (6, length, width) == (6, task.config.context, task.config.input_width)
    assert (
        not vectors[:, -1].any()
        and (targets[:, :-1] == NOT_SCORED).all()
        and set(targets[:, -1].tolist()) <= {*range(10)}
    )


@given(
    st.sampled_from([*(("patches", side) for side in (1, 2, 4, 8)), ("pixels", 2), ("permuted", 2)]),
    st.integers(0, 9),
    st.integers(0, 99),
)
@settings(max_examples=25)
def test_in_any_layout_the_class_is_asked_at_the_end_where_nothing_stands(drawn, split_seed, seed) -> None:
    layout, patch = drawn
    config = ImagesConfig(layout=layout, patch=patch, split_seed=split_seed)
    task = ImagesTask(config)
    vectors, targets = task.sample(4, torch.Generator().manual_seed(seed))
    assert vectors.shape == (4, config.context, config.input_width) and targets.shape == (4, config.context)
    assert not vectors[:, -1].any() and (targets[:, :-1] == NOT_SCORED).all()
    mean, deviation = task._scale
    known = {np.sort(pixels.flatten()).tobytes(): int(label) for pixels, label in zip(*task.split.train, strict=True)}
    rows = (vectors[:, :-1].flatten(1) * deviation + mean).round().to(torch.uint8).sort(dim=1).values.numpy()
    assert [known[row.tobytes()] for row in rows] == targets[:, -1].tolist(), "all of its pixels, and its own class"


def test_patches_go_row_by_row_and_so_do_the_pixels_in_each() -> None:
    found = task_of().pieces(numbered(8))[0]
    assert found[0].tolist() == [0, 10, 100, 110] and found[1].tolist() == [20, 30, 120, 130]
    assert found[4].tolist() == [200, 210, 300, 310] and found[15].tolist() == [660, 670, 760, 770]


def test_pixels_go_row_by_row_with_their_channels_together(monkeypatch) -> None:
    assert task_of("pixels").pieces(numbered(8))[0, 9:11].tolist() == [[110], [120]]
    monkeypatch.setitem(IMAGES, "digits", IMAGES["digits"]._replace(channels=3))
    assert task_of("pixels").pieces(numbered(8, 3))[0, 1].tolist() == [10, 11, 12]
    assert task_of().pieces(numbered(8, 3))[0, 0].tolist() == [0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112]


def test_permuted_pixels_have_one_order_for_all_images_which_the_seed_draws() -> None:
    image = numbered(8)
    one, other = (task_of("permuted", split_seed=seed).pieces(image.expand(2, -1, -1, -1)) for seed in (0, 1))
    assert torch.equal(one[0], one[1]) and not torch.equal(one, other)
    assert sorted(one[0, :, 0].tolist()) == sorted(image.flatten().tolist())
    assert torch.equal(one, task_of("permuted").pieces(image.expand(2, -1, -1, -1)))


def test_training_images_have_mean_0_and_deviation_1(generator) -> None:
    pieces = task_of("pixels").sample(3000, generator)[0][:, :-1]
    assert pieces.mean().item() == pytest.approx(0, abs=0.02) and pieces.std().item() == pytest.approx(1, abs=0.02)


def test_every_image_comes_with_its_own_class_and_from_its_own_part(generator) -> None:
    task, split = task_of("pixels"), digits()
    for part, (vectors, targets) in {
        "train": task.sample(200, generator),
        "validation": task.held_out(200, "validation"),
        "test": task.held_out(200, "test"),
    }.items():
        images = getattr(split, part)
        known = {pixels.tobytes(): int(label) for pixels, label in zip(images.pixels, images.classes, strict=True)}
        mean, deviation = task._scale
        pixels = (vectors[:, :-1, 0] * deviation + mean).round().to(torch.uint8).numpy()
        assert [known[row.tobytes()] for row in pixels] == targets[:, -1].tolist()
        assert len(vectors) == (200 if part == "train" else 179)


def test_of_images_in_the_order_of_their_classes_each_class_is_held_out(monkeypatch) -> None:
    task = task_of()
    order = digits().test.classes.argsort(kind="stable")
    ordered = Images(digits().test.pixels[order], digits().test.classes[order])
    monkeypatch.setattr(task, "split", task.split._replace(test=ordered), raising=False)
    assert len(set(task.held_out(60, "test")[1][:, -1].tolist())) == 10, "the first 60 are 0 to 3"


def test_held_out_images_are_the_same_at_every_call() -> None:
    one, other = task_of().held_out(5, "test"), task_of().held_out(5, "test")
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["causal_rn", "linear_rn", "transformer"])
def test_a_run_is_watched_on_the_validation_part_and_the_test_part_comes_last(kind) -> None:
    result = trained(ImagesConfig(), kind, evaluation_strings=179)
    assert set(result.teacher_forced) == {"accuracy"} and result.row()["task"]["layout"] == "patches"
    check_splits_are_used(result, task_of())


@pytest.mark.slow
def test_a_model_learns_digits() -> None:
    config = config_of(
        ImagesConfig(), "linear_rn", width=32, steps=150, batch=32, learning_rate=3e-3, evaluate_every=150
    )
    assert run(config).teacher_forced["accuracy"] > 0.4


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"source": "faces"}, f"source must be one of {', '.join(IMAGES)}; got 'faces'"),
        ({"path": "here"}, "path must not be given for 'digits', which the library has"),
        ({"layout": "rows"}, "layout must be one of patches, pixels, permuted; got 'rows'"),
        ({"layout": "pixels", "patch": 4}, "patch belongs to the layout 'patches', not to 'pixels'; got 4"),
        ({"patch": 3}, "patch must divide the 8 pixels a side of digits; got 3"),
        ({"patch": 0}, "patch must be a whole number >= 1; got 0"),
        ({"split_seed": -1}, "split_seed must be a whole number >= 0; got -1"),
    ],
)
def test_what_cannot_be_is_one_line(fields, says) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(says)}$"):
        ImagesConfig(**fields)


@pytest.mark.parametrize(
    ("count", "classes", "says"),
    [
        (5, range(5), "the validation part of digits has no image"),
        (30, [3] * 30, "all 30 training images of digits are of one class, 3"),
    ],
)
def test_images_that_teach_nothing_are_one_line(monkeypatch, generator, count, classes, says) -> None:
    images = Images(np.zeros((count, 8, 8, 1), np.uint8), np.array(classes, np.int64))
    none = Images(images.pixels[:0], images.classes[:0])
    split = Split(images, none if count == 5 else images, images)
    monkeypatch.setitem(IMAGES, "digits", IMAGES["digits"]._replace(load=lambda path, seed: split))
    with pytest.raises(DataError, match=f"^{says}"):
        task_of().sample(1, generator)


def test_chance_is_what_naming_any_class_gets(generator) -> None:
    _, targets = task_of().sample(4000, generator)
    guesses = torch.randint(10, targets.shape, generator=generator)
    assert task_of().metrics(guesses, targets)["accuracy"] == pytest.approx(ImagesConfig().chance, abs=0.015)
