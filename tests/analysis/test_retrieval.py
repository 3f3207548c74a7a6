"""The measures of retrieval and the named edits, on the copier made by hand and on attention made by hand."""

import math

import pytest
import torch

from crn_lib.analysis import (
    AttentionPairs,
    cancellation_copier,
    capture_pairs,
    copy_sources,
    most_aligned,
    most_opposed,
    relation_pairs,
)
from crn_lib.analysis.retrieval import (
    ATTENTION_EDITS,
    RELATION_DROPS,
    RELATION_EDITS,
    look,
    named_edit,
    score_edited,
)
from crn_lib.tasks import CopyingConfig, CopyingTask

LENGTH = 10
WHERE = copy_sources(LENGTH)


@pytest.fixture
def task():
    return CopyingTask(CopyingConfig(string_length=LENGTH))


@pytest.fixture
def problems(task, generator):
    return task.sample(24, generator)


def attention_of(weight):
    return AttentionPairs(WHERE.rows, weight, torch.zeros(*weight.shape[:2], weight.shape[-1], 3))


def test_the_copier_made_by_hand_is_found_to_cancel(task, problems):
    [pairs] = capture_pairs(cancellation_copier(task.config), problems[0], WHERE.rows)
    found = look(pairs, WHERE.sources)
    for name in ("opposed", "amplified", "strongest"):
        assert found[f"{name}_is_source"] == found[f"eos_{name}_is_source"] == 1
    assert found["aligned_is_source"] == 0
    assert found["correlation_source"] < -0.99 < -0.2 < found["correlation_elsewhere"]
    assert found["share_source"] > 0.9 and found["peak_source"] > 7 > 3 > found["peak_elsewhere"]
    assert found["scale_source"] > 5 * found["scale_elsewhere"]
    assert found["effective_senders"] < 2
    assert found["seen_senders"] == sum(range(LENGTH + 2, 2 * LENGTH + 2)) / LENGTH


def test_means_are_over_the_letters_and_over_what_is_seen(generator):
    a, b = torch.randn(2, 3, 2 * LENGTH + 2, 8, generator=generator, dtype=torch.float64)
    pairs = relation_pairs(a, b, WHERE.rows, norm="exact", activation="gelu", heads=2)
    found = look(pairs, WHERE.sources)
    here, elsewhere = [], []
    for r, (i, source) in enumerate(zip(WHERE.rows[:-1].tolist(), WHERE.sources.tolist(), strict=False)):
        for j in range(i + 1):
            (here if j == source else elsewhere).append(pairs.correlation[:, :, r, j].mean().item())
    assert found["correlation_source"] == pytest.approx(sum(here) / len(here))
    assert found["correlation_elsewhere"] == pytest.approx(sum(elsewhere) / len(elsewhere))
    hits = most_opposed(pairs) == WHERE.sources
    assert found["opposed_is_source"] == pytest.approx(hits[:, :, :-1].double().mean().item())
    assert found["eos_opposed_is_source"] == pytest.approx(hits[:, :, -1].double().mean().item())


def test_pairs_without_scales_of_their_own_have_no_most_amplified(generator):
    a, b = torch.randn(2, 3, 2 * LENGTH + 2, 8, generator=generator)
    approx = relation_pairs(a, b, WHERE.rows, norm="approx", activation="exp", heads=1)
    assert "amplified_is_source" not in look(approx, WHERE.sources)


def test_attention_that_looks_at_the_source_and_attention_that_looks_everywhere():
    length = 2 * LENGTH + 2
    sharp = torch.eye(length)[WHERE.sources].expand(2, 1, -1, -1)
    found = look(attention_of(sharp), WHERE.sources)
    assert found["attended_is_source"] == found["weight_source"] == found["effective_senders"] == 1
    assert found["weight_elsewhere"] == 0
    visible = (torch.arange(length) <= WHERE.rows[:, None]).double()
    even = (visible / visible.sum(-1, keepdim=True)).expand(2, 1, -1, -1)
    found = look(attention_of(even), WHERE.sources)
    assert found["effective_senders"] == pytest.approx(found["seen_senders"])
    seen = visible[:-1].sum(-1)
    assert found["weight_source"] == pytest.approx((1 / seen).mean().item())
    assert found["weight_elsewhere"] == pytest.approx((1 - 1 / seen).sum().item() / (seen - 1).sum().item())


@pytest.mark.parametrize("name", RELATION_EDITS)
def test_an_edit_does_what_its_name_says(name, generator):
    a, b = torch.randn(2, 3, 2 * LENGTH + 2, 8, generator=generator, dtype=torch.float64)
    pairs = relation_pairs(a, b, WHERE.rows, norm="exact", activation="exp", heads=1)
    edited = named_edit(name, WHERE.sources, torch.Generator().manual_seed(1))(pairs)
    who = {"opposed": most_opposed(pairs), "aligned": most_aligned(pairs)}
    who["source"] = WHERE.sources.expand(who["opposed"].shape)
    moved_weight, moved_scale = edited.weight != pairs.weight, edited.scale != pairs.scale
    if name in RELATION_DROPS:
        assert not moved_scale.any() and (moved_weight.sum(-1) == 1).all()
        assert (edited.weight[moved_weight] == 0).all()
        dropped = moved_weight.int().argmax(-1)
        kind = name.removeprefix("drop_")
        assert torch.equal(dropped, who[kind]) if kind != "random" else (dropped != who["source"]).all()
        return
    assert not moved_weight.any()
    if name == "freeze":
        assert (edited.scale == edited.scale[:, :, :1, :1]).all()
        return
    if name.startswith("freeze_but_"):
        assert (moved_scale.sum(-1) == pairs.scale.shape[-1] - 1).all(), "one pair of a receiver keeps its scale"
        kept_source = ~moved_scale.gather(-1, who["source"][..., None])
        assert kept_source.all() if name == "freeze_but_source" else not kept_source.any()
        assert len(edited.scale[moved_scale].unique()) == len(pairs.scale), "the others have that of their sequence"
        return
    if name.endswith("_random"):
        assert (moved_scale.sum(-1) == (1 if name == "level_random" else 2)).all()
        assert not moved_scale.gather(-1, who["source"][..., None]).any()
        assert name == "level_random" or torch.equal(edited.scale.sort(-1).values, pairs.scale.sort(-1).values)
        return
    opposed = who["opposed"][..., None]
    assert moved_scale.gather(-1, opposed).all()
    now, before = edited.scale.gather(-1, opposed)[..., 0], pairs.scale
    if name == "level_opposed":
        assert (moved_scale.sum(-1) == 1).all()
        mean = before.masked_fill(~pairs.visible, 0).sum(-1) / pairs.visible.sum(-1)
        torch.testing.assert_close(now, mean)
    else:
        assert (moved_scale.sum(-1) == 2).all()
        assert torch.equal(edited.scale.sort(-1).values, before.sort(-1).values)


@pytest.mark.parametrize("name", ATTENTION_EDITS)
def test_an_edit_of_attention_drops_one_sender(name, generator):
    scores = torch.randn(2, 1, LENGTH + 1, 2 * LENGTH + 2, generator=generator)
    hidden = torch.arange(2 * LENGTH + 2) > WHERE.rows[:, None]
    pairs = attention_of(scores.masked_fill(hidden, -math.inf).softmax(-1))
    edited = named_edit(name, WHERE.sources, torch.Generator().manual_seed(1))(pairs)
    moved = edited.weight != pairs.weight
    assert (moved.sum(-1) == 1).all()
    dropped = moved.int().argmax(-1)
    expected = {"drop_attended": pairs.weight.argmax(-1), "drop_source": WHERE.sources.expand(dropped.shape)}
    assert torch.equal(dropped, expected[name]) if name in expected else (dropped != WHERE.sources).all()


def test_scores_are_those_of_the_task_and_fall_without_the_source(task, problems):
    model = cancellation_copier(task.config)
    generator = torch.Generator().manual_seed(1)
    whole = score_edited(model, task, *problems, {})
    assert whole == {"letters": 1, "eos": 1, "character_accuracy": 1, "string_accuracy": 1}
    without = score_edited(model, task, *problems, {0: named_edit("drop_source", WHERE.sources, generator)})
    assert without["letters"] < 0.2 and without["eos"] == 0 and without["character_accuracy"] == 0
    beside = score_edited(model, task, *problems, {0: named_edit("drop_random", WHERE.sources, generator)})
    assert beside == whole
