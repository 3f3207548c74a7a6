"""Which cells the browser tests run of a lesson."""

from tests.browser.needed import needed_cells


def needed(*sources: str) -> set[int]:
    return needed_cells(list(sources), lambda source: "widget(" in source)


def test_what_a_wanted_cell_reads_is_needed_and_what_that_reads_in_turn() -> None:
    assert needed("import torch as t", "a = t.ones(3)", "b = 5", "c = a + 1", "widget(c)", "print(c)") == {0, 1, 3, 4}


def test_what_a_cell_sets_itself_is_not_looked_for_above_it() -> None:
    assert needed("figure = 1", "figure = 2\nwidget(figure)") == {1}
    assert needed("x = 1", "x = x + 1\nwidget(x)") == {0, 1}, "unless it reads it first"
    assert needed("x = 1", "x += 1", "widget(x)") == {0, 1, 2}


def test_names_within_functions_and_comprehensions_are_their_own() -> None:
    assert needed("def f():\n    row = 1", "n = [row for row in ()]", "row = 2", "widget(row)") == {2, 3}
    assert needed("scale = 2", "def f(x):\n    return scale * x", "widget(f(1))") == {0, 1, 2}


def test_a_cell_that_writes_into_what_is_read_is_needed() -> None:
    assert needed("d = {}", "d['a'] = 1", "e.a = 2", "widget(d)") == {0, 1, 3}
