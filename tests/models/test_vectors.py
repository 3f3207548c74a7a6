"""Models that read vectors, and logits at the places asked for."""

import re

import pytest
import torch
from torch import Tensor

from crn_lib.config import ConfigError
from crn_lib.models import BLOCKS, ModelConfig, build_model
from tests.models.model_cases import name_of, small_model, tokens

WIDTH = 3


def vectors(batch: int, length: int, seed: int = 0) -> Tensor:
    return torch.randn(batch, length, WIDTH, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


VARIANTS = [*({"kind": kind} for kind in BLOCKS), {"kind": "causal_rn", "short_conv": 3, "first_window": 2}]


@pytest.mark.parametrize("variant", VARIANTS, ids=name_of)
def test_vectors_are_read_causally_and_step_by_step_as_at_once(variant: dict[str, object]) -> None:
    model, x = small_model(**variant, input_width=WIDTH, vocab_size=1), vectors(2, 7)
    whole = model(x)
    assert whole.shape == (2, 7, 1)
    changed = x.clone()
    changed[:, 4] += 1
    assert torch.equal(model(changed)[:, :4], whole[:, :4]) and not torch.isclose(model(changed), whole)[:, 4:].any()
    read, state = model.prefill(x[:, :3])
    rows = [read]
    for i in range(3, 7):
        row, state = model.step(x[:, i], state)
        rows.append(row)
    torch.testing.assert_close(torch.stack(rows, dim=1), whole[:, 2:])
    assert state.nbytes > 0 and model.state_bytes(7) > 0


def test_a_vector_is_read_as_a_token_whose_embedding_is_its_image() -> None:
    by_token, by_vector = (small_model(kind="causal_rn", input_width=width) for width in (None, WIDTH))
    with torch.no_grad():
        by_vector.load_state_dict({**by_token.state_dict(), **read_in(by_vector)}, strict=False)
        images = by_vector.read_in(vectors(1, 11)[0])
        by_token.token_embedding.weight[:] = images
    ids = tokens(2, 5)
    torch.testing.assert_close(by_vector(vectors(1, 11)[0][ids]), by_token(ids))


def read_in(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in model.state_dict().items() if name.startswith("read_in")}


def test_numbers_of_variance_1_begin_as_rows_as_large_as_those_of_tokens() -> None:
    model = build_model(ModelConfig(width=256, input_width=64))
    rows = model.read_in(torch.randn(500, 64, generator=torch.Generator().manual_seed(1)))
    assert rows.std().item() == pytest.approx(1, rel=0.05) and not model.read_in.bias.any()
    assert "read-in" in model.summary() and "token embedding" not in model.summary()


@pytest.mark.parametrize("positions", ["learned", "none", "random"])
def test_places_asked_for_have_the_logits_they_have_among_all(positions: str, generator: torch.Generator) -> None:
    model, ids = small_model(kind="causal_rn", positions=positions), tokens(3, 6)
    at = torch.tensor([[0, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]]).bool()
    places = model.draw_positions(3, 6, generator)
    torch.testing.assert_close(model(ids, places, at), model(ids, places)[at])
    assert model(ids, places, at).shape == (8, 11)


def test_the_head_is_applied_where_it_is_asked_for_only() -> None:
    model, seen = small_model(kind="lstm"), []
    model.head.register_forward_hook(lambda head, given, out: seen.append(out.shape))
    model(tokens(3, 6), at=torch.eye(3, 6).bool())
    assert seen == [(3, 11)]


def test_random_places_are_given_to_vectors_too(generator: torch.Generator) -> None:
    model, x = small_model(kind="causal_rn", input_width=WIDTH, positions="random"), vectors(2, 4)
    first = torch.arange(4).expand(2, 4)
    torch.testing.assert_close(model(x, first), model(x))
    assert not torch.isclose(model(x, first + 5), model(x)).all()


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (torch.zeros(2, 3, 4), "vectors must be (batch, length, 3) and not empty; got shape (2, 3, 4)"),
        (torch.zeros(2, 3), "vectors must be (batch, length, 3) and not empty; got shape (2, 3)"),
        (torch.zeros(0, 3, 3), "vectors must be (batch, length, 3) and not empty; got shape (0, 3, 3)"),
        ([[[1.0, 2.0, 3.0]]], "vectors must be (batch, length, 3) and not empty; got a list"),
        (torch.zeros(2, 3, 3, dtype=torch.long), "vectors must hold floating-point numbers; got torch.int64"),
        (torch.zeros(1, 10, 3), "a sequence of 10 tokens is longer than the model's max_length 9"),
    ],
)
def test_what_is_no_sequence_of_vectors_is_refused_in_one_line(x: object, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        small_model(kind="lstm", input_width=WIDTH, max_length=9)(x)


def test_a_step_with_a_wrong_vector_is_refused() -> None:
    model = small_model(kind="lstm", input_width=WIDTH)
    with pytest.raises(ValueError, match=r"^vectors must be \(batch, 3\) and not empty; got shape \(1, 2\)$"):
        model.step(torch.zeros(1, 2), model.init_state(1))


def test_what_reads_vectors_writes_none() -> None:
    with pytest.raises(ValueError, match=r"^a model that reads vectors cannot read what it writes"):
        small_model(kind="lstm", input_width=WIDTH).generate(vectors(1, 3), 2)


@pytest.mark.parametrize(
    ("at", "found"),
    [
        (torch.ones(2, 4).bool(), "torch.bool of shape (2, 4)"),
        (torch.ones(2, 3), "torch.float32 of shape (2, 3)"),
        (2 * [3 * [True]], "a list"),
    ],
)
def test_places_asked_for_that_do_not_fit_are_refused(at: Tensor, found: str) -> None:
    says = f"at must be true or false for each of the (2, 3) places; got {found}"
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        small_model(kind="lstm")(tokens(2, 3), at=at)


def test_a_width_of_vectors_is_a_whole_number() -> None:
    with pytest.raises(ConfigError, match=r"^input_width must be a whole number >= 1; got 0$"):
        ModelConfig(input_width=0)
