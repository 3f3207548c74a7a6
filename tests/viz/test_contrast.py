"""Text in figures can be read: 4.5 to 1 against the paper, on coloured cells, in the colours of kinds."""

import pytest

from crn_lib.viz import ablations, copying, norm_circuit, pair
from crn_lib.viz.contrast import ENOUGH, PAPER, as_text, contrast, ink_on, on_scale, rgb
from crn_lib.viz.theme import INK, KIND_COLOURS, new_figure

CELLS = [
    *copying.CELL_COLOURS,
    *(pair.LOW, pair.MIDDLE, pair.HIGH),
    *(norm_circuit.TOKEN_FILL, norm_circuit.PAIR_FILL, norm_circuit.REGION_FILL),
]


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the grey that just fails
    assert rgb("rgba(255, 0, 0, 0.5)") == pytest.approx((1, 0.5, 0.5))


def test_ink_can_be_read_on_the_paper_and_on_every_coloured_cell() -> None:
    layout = new_figure("title", description="words").layout
    assert layout.font.color == INK and layout.paper_bgcolor == layout.plot_bgcolor == PAPER
    assert contrast(INK, PAPER) >= ENOUGH
    for cell in CELLS:
        opaque = on_scale([[0, cell], [1, cell]], 0)
        assert contrast(INK, opaque) >= ENOUGH, cell


def test_words_on_a_colour_scale_can_be_read_everywhere_on_it() -> None:
    for k in range(101):
        colour = on_scale(ablations.NONE_TO_ALL, k / 100)
        assert contrast(ink_on(colour), colour) >= ENOUGH
    with pytest.raises(ValueError, match=r"from 0 to 1; got 1\.5"):
        on_scale(ablations.NONE_TO_ALL, 1.5)


def test_the_colour_of_a_kind_can_be_read_as_text_and_stays_where_it_could_be() -> None:
    for colour in KIND_COLOURS.values():
        assert contrast(as_text(colour), PAPER) >= ENOUGH
    assert as_text("#0072B2").lower() == "#0072b2" != as_text("#E69F00").lower()
