"""Counts what the import order forbids: circles of files, and arrows from a room to a higher one.

The order is the `layers` contract of pyproject.toml, which `lint-imports` holds. This says the same as two numbers, of
which the first is about files, also within a room. Imports inside functions count.
"""

import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]


def circles(graph: grimp.ImportGraph) -> list[set[str]]:
    """Groups of files each of which imports all others, in steps: the strongly connected parts larger than one."""
    found, placed = [], set()
    for file in sorted(graph.modules):
        if file not in placed:
            together = graph.find_upstream_modules(file) & graph.find_downstream_modules(file)
            placed |= together | {file}
            if together:
                found.append(together | {file})
    return found


def upward_arrows(graph: grimp.ImportGraph, layers: list[str]) -> list[tuple[str, str]]:
    """Imports of a file in a higher room, or in a sibling's; `layers` from the highest down, siblings joined by `|`."""
    height = {room.strip(): -number for number, layer in enumerate(layers) for room in layer.split("|")}
    arrows = []
    for file in sorted(graph.modules):
        own = ".".join(file.split(".")[:2])
        for other in sorted(graph.find_modules_directly_imported_by(file)):
            room = ".".join(other.split(".")[:2])
            if own in height and room in height and own != room and height[room] >= height[own]:
                arrows.append((file, other))
    return arrows


def main() -> int:
    """Print both numbers, and what they count; 1 where one of them is not 0."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    graph = grimp.build_graph("crn_lib", cache_dir=None)
    round_trips, arrows = circles(graph), upward_arrows(graph, layers)
    print(f"{len(round_trips)} circles of files", *(f"  {', '.join(sorted(each))}" for each in round_trips), sep="\n")
    print(f"{len(arrows)} upward arrows between rooms", *(f"  {one} -> {other}" for one, other in arrows), sep="\n")
    return 1 if round_trips or arrows else 0


if __name__ == "__main__":
    raise SystemExit(main())
