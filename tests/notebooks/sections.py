"""The sections of a lesson, and the names that each of them needs from outside."""

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator
from typing import Any

GATHERS = "What we measured"
"""The section that claims what all others measured: the one that no reader can begin with."""


def sections(cells: Iterable[Any]) -> dict[str, list[str]]:
    """Heading of the second level to the sources of the code cells under it; what is set up before them has `""`."""
    found: dict[str, list[str]] = {"": []}
    heading = ""
    for cell in cells:
        if cell.cell_type == "code":
            found[heading].append(cell.source)
            continue
        for line in cell.source.splitlines():
            if line.startswith("## "):
                heading = line.removeprefix("## ")
                found[heading] = []
    return found


def missing_names(cells: Iterable[Any]) -> dict[str, set[str]]:
    """Heading to the names its code reads that neither it, the set-up nor Python defines; only where there are some."""
    parts = sections(cells)
    set_up, _ = _run("\n".join(parts.pop("")), set(dir(builtins)))
    missing = {heading: _run("\n".join(sources), set_up)[1] for heading, sources in parts.items()}
    return {heading: names for heading, names in missing.items() if names and heading != GATHERS}


def _run(source: str, known: set[str]) -> tuple[set[str], set[str]]:
    """The names known after this source, and those it reads without anything that defines them."""
    known, missing, later = set(known), set(), set()
    for statement in ast.parse(source).body:
        for read, deferred, bound in _events(statement):
            (later if deferred else missing).update(read - known)
            known |= bound
    return known, missing | (later - known)


def _events(node: ast.AST) -> Iterator[tuple[set[str], bool, set[str]]]:
    """What runs in turn: the names it reads, whether only once it is called, the names it binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield _reads(node) - {name}, True, {name}
        case ast.For(target=target, iter=many, body=body, orelse=other):
            yield _reads(many), False, _bound(target)
            yield from _all([*body, *other])
        case ast.While(test=test, body=body, orelse=other) | ast.If(test=test, body=body, orelse=other):
            yield _reads(test), False, set()
            yield from _all([*body, *other])
        case ast.With(items=items, body=body):
            for item in items:
                yield _reads(item.context_expr), False, _bound(item.optional_vars)
            yield from _all(body)
        case ast.Try(body=body, handlers=handlers, orelse=other, finalbody=last):
            yield from _all(body)
            for handler in handlers:
                yield _reads(handler.type), False, {handler.name or ""}
                yield from _all(handler.body)
            yield from _all([*other, *last])
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            yield _reads(value) | {name}, False, set()
        case ast.Assign(targets=targets, value=value):
            yield _reads(value), False, set()
            for target in targets:
                yield _reads(target) - _bound(target), False, _bound(target)
        case _:
            yield _reads(node) - _bound(node), False, _bound(node)


def _all(statements: Iterable[ast.AST]) -> Iterator[tuple[set[str], bool, set[str]]]:
    for statement in statements:
        yield from _events(statement)


def _bound(node: ast.AST | None) -> set[str]:
    """Names of the module that this binds."""
    return {symbol.get_name() for symbol in _table(node).get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def _reads(node: ast.AST | None) -> set[str]:
    """Names of the module that this reads, inside functions and comprehensions too."""
    top = _table(node)
    read = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    inner = list(top.get_children())
    while inner:
        table = inner.pop()
        inner += table.get_children()
        read |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return read


def _table(node: ast.AST | None) -> symtable.SymbolTable:
    if isinstance(node, ast.Starred):
        node = node.value
    if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", None), ast.Store):
        return symtable.symtable(f"{ast.unparse(node)} = 0", "target", "exec")
    return symtable.symtable("" if node is None else ast.unparse(node), "cell", "exec")
