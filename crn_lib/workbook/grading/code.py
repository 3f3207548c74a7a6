"""What cells define and use: to find an answer in a notebook, and the little of the rest that it needs."""

import ast
import symtable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from IPython.core.inputtransformer2 import TransformerManager


@dataclass(frozen=True)
class Statement:
    """One statement at the top of a cell: its text, the names it binds, and the names it takes from elsewhere.

    A function takes them when it is called, any other statement when it is run.
    """

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    is_function: bool


@dataclass
class Code:
    """A cell's source, read as Python where it can be; magics and all."""

    source: str

    @cached_property
    def python(self) -> str:
        """Its source with magics as calls, whose lines the tree counts; as it stands if it is no Python."""
        try:
            return TransformerManager().transform_cell(self.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return self.source

    @cached_property
    def tree(self) -> list[ast.stmt]:
        """Its statements; none where it is no Python."""
        try:
            return ast.parse(self.python).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []

    @cached_property
    def statements(self) -> list[Statement]:
        """Its statements with what they bind and use."""
        return [_statement(node) for node in self.tree]

    @cached_property
    def binds(self) -> frozenset[str]:
        """Names that it binds at its top."""
        return frozenset().union(*(statement.binds for statement in self.statements))

    def checks(self) -> dict[str, ast.expr]:
        """Exercise keys to what their check is called with, where the cell calls it."""
        calls = [node for top in self.tree for node in ast.walk(top) if isinstance(node, ast.Call)]
        found = {}
        for call in calls:
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name == "check" and len(call.args) == 2 and isinstance(call.args[0], ast.Constant):
                found[str(call.args[0].value)] = call.args[1]
        return found

    def without_checks(self) -> str:
        """Its source less the statements that are nothing but a call of a check."""
        lines = self.python.splitlines()
        for node in reversed(self.tree):
            called = getattr(getattr(node, "value", None), "func", None) if isinstance(node, ast.Expr) else None
            if isinstance(called, ast.Attribute | ast.Name) and getattr(called, "attr", None) == "check":
                del lines[node.lineno - 1 : node.end_lineno]
        return "\n".join(lines).strip()


def _statement(node: ast.stmt) -> Statement:
    text = ast.unparse(node)
    table = symtable.symtable(text, "cell", "exec")
    binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    uses = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        uses.add(node.target.id)
    below = list(table.get_children())
    while below:
        inner = below.pop()
        uses |= {s.get_name() for s in inner.get_symbols() if s.is_global()}
        below += inner.get_children()
    function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return Statement(text, frozenset(binds), frozenset(uses), function)


def needed(answer: Code, asked: frozenset[str], before: Sequence[Code], after: Sequence[Code] = ()) -> str:
    """The statements of other cells that an answer needs, in their order, and of what those need.

    A name is taken from the last statement before that binds it, else from the first one behind.

    Args:
        asked: names wanted beside those that the answer uses.
    """
    others = [statement for code in before for statement in code.statements]
    start = len(others)
    others += [statement for code in after for statement in code.statements]
    taken: dict[int, set[int]] = {}  # each with those that it needs
    wanted = [(name, start, -1) for name in asked - answer.binds]
    wanted += [(name, start, -1) for statement in answer.statements for name in statement.uses - answer.binds]
    while wanted:
        name, place, user = wanted.pop()
        earlier = (n for n in range(min(place, len(others)) - 1, -1, -1) if name in others[n].binds)
        later = (n for n in range(place, len(others)) if name in others[n].binds)
        found = next(earlier, next(later, None))
        if found is None:
            continue
        if found not in taken:
            taken[found] = set()
            place = start if others[found].is_function else found
            wanted += [(used, place, found) for used in others[found].uses]
        if user >= 0:
            taken[user].add(found)
    lines = []
    left = sorted(taken)
    while left:  # cells may have been run in another order than they have: what needs another comes after it
        number = next((n for n in left if not taken[n] & (set(left) - {n})), left[0])
        left.remove(number)
        lines.append(others[number].text)
    return "\n".join(lines)
