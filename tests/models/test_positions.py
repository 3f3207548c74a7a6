"""Where a sequence's tokens stand: in the first places, nowhere, or in places drawn at random."""

import pytest
import torch

from crn_lib.models import ModelConfig, build_model
from tests.models.model_cases import small_model, tokens


def test_random_places_are_subsets_in_ascending_order_and_every_place_is_drawn_as_often(generator) -> None:
    drawn = small_model(kind="lstm", positions="random", max_length=10).draw_positions(5000, 4, generator)
    assert drawn.shape == (5000, 4) and (drawn.diff(dim=1) > 0).all()
    shares = drawn.flatten().bincount(minlength=10) / 5000
    torch.testing.assert_close(shares, torch.full((10,), 0.4), rtol=0, atol=0.03)


@pytest.mark.parametrize("positions", ["learned", "none"])
def test_nothing_is_drawn_where_places_are_not_random(positions, generator) -> None:
    before = generator.get_state()
    assert small_model(kind="lstm", positions=positions).draw_positions(2, 3, generator) is None
    assert torch.equal(generator.get_state(), before)


def test_a_token_has_the_embedding_of_its_place() -> None:
    model, sequence = small_model(kind="causal_rn", positions="random"), tokens(2, 3)
    first = torch.arange(3).expand(2, 3)
    torch.testing.assert_close(model(sequence, first), model(sequence))
    moved = model(sequence, first + torch.tensor([[0], [5]]))
    with torch.no_grad():
        model.position_embedding.weight[:3] = model.position_embedding.weight[5:8].clone()
    torch.testing.assert_close(moved[1], model(sequence)[1])
    assert not torch.isclose(moved[0], model(sequence)[0]).all()


def test_random_places_begin_as_learned_ones_and_without_places_there_are_no_embeddings() -> None:
    learned, drawn, none = (small_model(kind="causal_rn", positions=p) for p in ("learned", "random", "none"))
    assert all(torch.equal(one, drawn.state_dict()[name]) for name, one in learned.state_dict().items())
    assert set(learned.state_dict()) - set(none.state_dict()) == {"position_embedding.weight"}
    assert "position embedding" in drawn.summary() and "position embedding" not in none.summary()
    assert "position embedding" in build_model(ModelConfig()).summary()


def test_without_places_the_order_of_the_earlier_tokens_is_unknown_to_one_block() -> None:
    """The mean over senders does not know their order; with places it does."""
    sequence = tokens(1, 6)
    turned = torch.cat([sequence[:, :5].flip(1), sequence[:, 5:]], dim=1)
    for positions, same in (("none", True), ("learned", False)):
        model = small_model(kind="causal_rn", blocks=1, positions=positions)
        assert torch.isclose(model(sequence)[:, -1], model(turned)[:, -1]).all() == same


@pytest.mark.parametrize(
    ("positions", "given", "message"),
    [
        ("random", torch.zeros(1, 2, dtype=torch.long), r"positions must be \(1, 3\) as the tokens; got \(1, 2\)"),
        *(
            ("random", given, rf"positions must be a tensor of whole numbers, int32 or int64; got {found}")
            for given, found in ((torch.zeros(1, 3), "torch.float32"), ([[0, 1, 2]], "a list"))
        ),
        ("random", torch.tensor([[0, 1, 90]]), r"positions must be from 0 to 89; got 90"),
        ("learned", torch.tensor([[-1, 1, 2]]), r"positions must be from 0 to 89; got -1"),
        ("none", torch.tensor([[0, 1, 2]]), r'the model has positions "none": no token can be given a place'),
    ],
)
def test_places_that_do_not_fit_are_refused_in_one_line(positions, given, message) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        small_model(kind="lstm", positions=positions)(tokens(1, 3), given)
