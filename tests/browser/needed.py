"""The cells of a lesson that its controls need: those that make them, and those that set what these read."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

import nbformat


def needed_cells(sources: list[str], wanted: Callable[[str], bool]) -> set[int]:
    """The numbers of the cells that are wanted, and of the cells above them without which these would not run.

    Args:
        sources: the code cells in their order.
        wanted: whether a cell of this source is wanted for itself.
    """
    needed: set[int] = set()
    missing: set[str] = set()
    for number in reversed(range(len(sources))):
        read, made, changed = _names(sources[number])
        if wanted(sources[number]) or (made | changed) & missing:
            needed.add(number)
            missing = (missing - made) | read
    return needed


def keep_needed(notebook: nbformat.NotebookNode, wanted: Callable[[Any], bool]) -> None:
    """Take the code cells out of the notebook that no wanted cell needs."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    sources = {cell.source for cell in code if wanted(cell)}
    needed = needed_cells([cell.source for cell in code], sources.__contains__)
    left_out = [id(cell) for number, cell in enumerate(code) if number not in needed]
    notebook.cells = [cell for cell in notebook.cells if id(cell) not in left_out]


def _names(source: str) -> tuple[set[str], set[str], set[str]]:
    """What a cell reads of the cells above it, what it binds for those below, and the objects it writes into."""
    read: set[str] = set()
    made: set[str] = set()
    changed: set[str] = set()
    for statement in ast.parse(source).body:
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=name, ctx=ast.Load()):
                    read |= {name} - made
                case ast.AugAssign(target=ast.Name(id=name)):
                    read |= {name} - made
            match node:
                case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()):
                    changed.add(name)
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                    changed.add(name)
        made |= set(_bound(statement))
    return read, made, changed


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that stand for something afterwards: not those inside functions and comprehensions."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            return
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.alias(name=name, asname=other):
            yield (other or name).partition(".")[0]
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)
