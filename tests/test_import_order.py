"""The import order: no circle of files, no arrow that goes up, and both are counted where they are."""

import runpy

import grimp

from crn_lib.paths import workbook_folder

COUNT = runpy.run_path(str(workbook_folder() / "scripts" / "count_arrows.py"))


def test_the_library_has_no_circle_and_no_upward_arrow(capsys):
    assert COUNT["main"]() == 0
    assert capsys.readouterr().out == "0 circles of files\n0 upward arrows between rooms\n"


def test_circles_and_upward_arrows_are_found():
    graph = grimp.ImportGraph()
    arrows = [("low.a", "low.b"), ("low.b", "low.c"), ("low.c", "low.a"), ("low.c", "low.d"), ("low.d", "high.e")]
    arrows += [("high.e", "beside.f"), ("beside.f", "low.a"), ("high.g", "low.d")]
    for one, other in arrows:
        graph.add_import(importer=f"lib.{one}", imported=f"lib.{other}")
    (circle,) = COUNT["circles"](graph)
    assert circle == {f"lib.{file}" for file in ("low.a", "low.b", "low.c", "low.d", "high.e", "beside.f")}
    up = COUNT["upward_arrows"](graph, ["lib.high | lib.beside", "lib.low"])
    assert up == [("lib.high.e", "lib.beside.f"), ("lib.low.d", "lib.high.e")]
    graph.remove_import(importer="lib.low.d", imported="lib.high.e")
    assert COUNT["circles"](graph) == [{"lib.low.a", "lib.low.b", "lib.low.c"}]
