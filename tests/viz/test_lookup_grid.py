"""The grid of look-ups: what a cell says, and that a form without a model is said to have none."""

from crn_lib.viz import Lookup, describe, draw_lookups
from crn_lib.viz.above import LETTER, NARROW


def test_a_cell_says_its_models_what_is_left_and_the_share_and_where_none_copies() -> None:
    found = {
        ("exact", "exp"): Lookup(left=[0.03, 0.04], share=[0.65, 0.75]),
        ("exact + post-norm", "ReLU"): Lookup(left=[0.04], share=[0.0]),
    }
    figure = draw_lookups(found, {*found, ("exact", "ReLU")}, ["exp", "ReLU"], title="T")
    colours, words = figure.data
    assert [round(z, 2) for z in colours.z] == [0.7, 0.0]
    said = dict(zip(zip(words.y, words.x, strict=True), words.text, strict=True))
    assert said["exact", "exp"] == "<b>2 models</b><br>3–4% left<br>share<br>65–75%"
    assert said["exact + post-norm", "ReLU"].startswith("<b>1 model</b><br>4% left")
    assert said["exact", "ReLU"] == "none<br>copies" and said["exact + post-norm", "exp"] == ""
    for line in "<br>".join(words.text).split("<br>"):
        cell = (NARROW - figure.layout.margin.l - figure.layout.margin.r) / 6  # of the lesson's six activations
        assert 11 * LETTER * len(line.removeprefix("<b>").removesuffix("</b>")) < cell, "no cell's text in the next"
    assert "exact · exp: 2 models, 3–4% left, share 65–75%" in describe(figure)


def test_long_names_of_activations_and_places_stand_on_two_lines() -> None:
    found = {("exact in 2 parts + post-norm", "squared ReLU"): Lookup(left=[0.03], share=[0.5])}
    layout = draw_lookups(found, found, ["exp", "squared ReLU"], title="T").layout
    assert layout.xaxis.ticktext == ("exp", "squared<br>ReLU") and layout.xaxis.tickangle == 0
    assert layout.yaxis.ticktext == ("exact in 2 parts<br>+ post-norm",)
