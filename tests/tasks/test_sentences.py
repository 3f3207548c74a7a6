"""Sentences as bytes: what is read, where the class is asked, which part a sentence is of."""

import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crn_lib.config import ConfigError
from crn_lib.data import DataError, Sentences
from crn_lib.data.sentences import GET_REVIEWS
from crn_lib.data.sources import IMAGES, PATH, SENTENCES, TEXTS, check_path
from crn_lib.models import ModelConfig, build_model
from crn_lib.tasks import NOT_SCORED, SentencesConfig, SentencesTask, teacher_forced
from crn_lib.tasks.sentences import BETWEEN, END, START
from tests.tasks.data_cases import trained

LIKED = {i for i in range(60) if i * 7 % 11 < 5}
REVIEWS = "".join(
    f"{i}\t{2.5 if i in LIKED else -2.5}\t{'good' if i in LIKED else 'dull'} film number {i}\n" for i in range(60)
)


def config_in(tmp_path: Path, reviews: str = REVIEWS, **fields: object) -> SentencesConfig:
    (tmp_path / "movieReviewSnippets_GroundTruth.txt").write_text(reviews, encoding="utf-8")
    return SentencesConfig(path=str(tmp_path), **fields)  # type: ignore[arg-type]


def text_of(row: list[int]) -> str:
    return bytes(token for token in row if token < START).decode()


def test_a_class_is_asked_at_the_end_of_its_sentence_and_padding_stands_behind_it() -> None:
    task = SentencesTask(SentencesConfig(source="glue/rte", longest=9))
    tokens, targets = task.lay_out(Sentences([("ab", "c"), ("defghi", "jklmno"), ("é", "")], [1, 0, 1]))
    assert tokens.tolist() == [
        [START, *b"ab", BETWEEN, *b"c", END, *[END] * 5],
        [START, *b"defg", BETWEEN, *b"jklm", END],
        [START, *"é".encode(), BETWEEN, END, *[END] * 6],
    ]
    asked = [[place for place, target in enumerate(row) if target != NOT_SCORED] for row in targets.tolist()]
    assert asked == [[5], [10], [4]] and targets[[0, 1, 2], [5, 10, 4]].tolist() == [1, 0, 1]
    assert tokens.shape[1] == task.config.context


texts = st.lists(st.tuples(*[st.text(max_size=20)] * 2, st.integers(0, 1)), min_size=1, max_size=5)


@given(texts, st.integers(8, 60))
@settings(max_examples=25)
def test_of_any_sentences_one_class_each_is_asked_behind_all_that_is_read(rows, longest) -> None:
    task = SentencesTask(SentencesConfig(source="glue/rte", longest=longest))
    tokens, targets = task.lay_out(Sentences([(one, two) for one, two, _ in rows], [label for *_, label in rows]))
    assert tokens.shape == targets.shape and tokens.shape[1] <= task.config.context
    for (one, two, label), row, wanted in zip(rows, tokens.tolist(), targets.tolist(), strict=True):
        share = (longest - 1) // 2
        read = [START, *one.encode()[:share], BETWEEN, *two.encode()[:share]]
        assert row == read + [END] * (len(row) - len(read)), "no token is a class"
        assert wanted == [NOT_SCORED] * len(read) + [label] + [NOT_SCORED] * (len(row) - len(read) - 1)


@pytest.mark.parametrize("source", ["glue/rte", "superglue/cb", "superglue/copa"])
def test_chance_is_what_naming_any_class_gets(source, generator) -> None:
    config, classes = SentencesConfig(source=source), SENTENCES[source].classes
    drawn = torch.randint(classes, (2, 4_000), generator=generator)
    task = SentencesTask(config)
    _, targets = task.lay_out(Sentences([("a",)] * 4_000, drawn[0].tolist()))
    guesses = drawn[1][:, None].expand_as(targets)
    assert task.metrics(guesses, targets)["accuracy"] == pytest.approx(config.chance, abs=0.025)


def test_one_part_may_have_all_the_bytes_and_four_have_a_quarter_each() -> None:
    task = SentencesTask(SentencesConfig(source="superglue/copa", longest=11))
    tokens, _ = task.lay_out(Sentences([("x" * 20,), ("aaa", "bbb", "ccc", "ddd")], [0, 1]))
    assert tokens[0].tolist() == [START, *b"x" * 11, END]
    assert tokens[1].tolist() == [START, *b"aa", BETWEEN, *b"bb", BETWEEN, *b"cc", BETWEEN, *b"dd", END]


def test_sentences_come_with_their_class_and_from_their_part(tmp_path, generator) -> None:
    task = SentencesTask(config_in(tmp_path))
    seen = {}
    for part, (tokens, targets) in {
        "train": task.sample(600, generator),
        "validation": task.held_out(100, "validation"),
        "test": task.held_out(100, "test"),
    }.items():
        seen[part] = {text_of(row) for row in tokens.tolist()}
        for row, target in zip(tokens.tolist(), targets.max(dim=1).values.tolist(), strict=True):
            assert target == text_of(row).startswith("good")
    assert [len(each) for each in seen.values()] == [48, 6, 6] and len(set.union(*seen.values())) == 60


def test_of_a_file_in_the_order_of_its_classes_each_is_held_out(tmp_path) -> None:
    lines = [f"{i}\t{2.5 if i < 300 else -2.5}\tfilm number {i}\n" for i in range(600)]
    task = SentencesTask(config_in(tmp_path, "".join(lines)))
    for part in ("validation", "test"):
        liked = task.held_out(24, part)[1].max(dim=1).values.double().mean().item()
        assert 0.2 < liked < 0.8, "the first 24 are all liked"
        once, again = (task.held_out(24, part)[0] for _ in range(2))
        assert once.equal(again)


def test_another_seed_is_another_split(tmp_path) -> None:
    one, other = (SentencesTask(config_in(tmp_path, split_seed=seed)).held_out(6, "test")[0] for seed in (0, 1))
    assert {text_of(row) for row in one.tolist()} != {text_of(row) for row in other.tolist()}


@pytest.mark.parametrize("kind", ["causal_rn", "linear_rn", "transformer"])
def test_a_run_is_watched_on_the_validation_part_and_the_test_part_comes_last(tmp_path, kind, monkeypatch) -> None:
    real, looked_at = SentencesTask.held_out, []

    def noted(task: SentencesTask, strings: int, split: str):
        looked_at.append(split)
        return real(task, strings, split)

    monkeypatch.setattr(SentencesTask, "held_out", noted)
    result = trained(config_in(tmp_path, longest=32), kind)
    assert looked_at == ["validation", "validation", "test"]
    assert set(result.teacher_forced) == {"accuracy"} and len(result.history) == 2


def test_only_the_asked_places_have_logits(tmp_path, generator) -> None:
    task = SentencesTask(config_in(tmp_path))
    model = build_model(ModelConfig(kind="lstm", vocab_size=259, width=8, blocks=1, max_length=130))
    seen: list[int] = []
    model.head.register_forward_hook(lambda head, given, out: seen.append(out.shape[0]))
    teacher_forced(model, task, 6, generator)
    assert seen == [6]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"source": "tweets"}, f"source must be one of {', '.join(SENTENCES)}; got 'tweets'"),
        ({}, f"path must be given for 'sentiment', which the library does not have; {GET_REVIEWS}"),
        ({"path": ""}, "path must be text, or not given; got ''"),
        ({"path": ".", "longest": 7}, "longest must be a whole number >= 8; got 7"),
        ({"path": ".", "split_seed": 1.5}, "split_seed must be a whole number >= 0; got 1.5"),
    ],
)
def test_what_cannot_be_is_one_line(fields, says) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(says)}$"):
        SentencesConfig(**fields)


@pytest.mark.parametrize("name", [name for name, own in (TEXTS | IMAGES | SENTENCES).items() if own.where == PATH])
def test_where_no_path_is_given_it_is_said_where_the_data_are_to_be_had(name) -> None:
    own = (TEXTS | IMAGES | SENTENCES)[name]
    with pytest.raises(ConfigError, match=f"^path must be given for '{name}', which the library does not have; ") as it:
        check_path(name, own, None)
    assert own.get and str(it.value).endswith(own.get)


@pytest.mark.parametrize(
    ("reviews", "says"),
    [
        (REVIEWS[:200], "the validation part of sentiment has no sentence"),
        (
            REVIEWS.replace("-2.5", "2.5"),
            "all 48 training sentences of sentiment are of one class, 1; there must be two at least",
        ),
        ("", ".*movieReviewSnippets_GroundTruth.txt is empty"),
    ],
)
def test_sentences_that_teach_nothing_are_one_line(tmp_path, generator, reviews, says) -> None:
    with pytest.raises(DataError, match=f"^{says}$"):
        SentencesTask(config_in(tmp_path, reviews)).sample(1, generator)
