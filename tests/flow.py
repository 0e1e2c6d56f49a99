"""What a check rests on, read off the code of a chapter without running it.

    units = units_of(read(path))                  # the statements of all cells
    for unit in that_matter(units, cell, line):   # the check there and what its names come from
        ...
    same_thing(units, unit, call)                 # "f(w)" where both sides of a check are f(w)

A statement matters to a check if it sets a name that the check uses, or one that such a statement
uses.  One that draws from a generator of random numbers changes it, as one that appends to a list
changes the list.

Two sides are one thing if they read alike once each name is replaced by what was assigned to it,
what adds 0 or multiplies by 1 is left out, and terms, factors and keywords are put in order.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from slips import CHECKS, called, text

GENERATORS = {"rng"}  # names of what draws random numbers
SIDES = {"value", "reference", "lhs", "rhs", "gradients", "exact"}
_BLOCKS = ("body", "orelse", "finalbody")
_WRAPPERS = {"array", "asarray", "float", "list", "sympify", "tuple"}  # of one argument: no change
_LONG = 200  # characters, from which on an expression is known by its digest


@dataclass(frozen=True)
class Unit:
    """A statement of a cell, the names that it sets and uses, and the checks in it."""

    cell: int
    node: ast.stmt
    sets: frozenset[str]
    uses: frozenset[str]
    anew: bool  # it sets them without regard to what they were
    checks: tuple[ast.Call, ...]  # outside controls

    @classmethod
    def of(cls, cell: int, node: ast.stmt) -> Unit:
        """Read off the names."""
        uses = frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
        touched = set() if _defines(node) else _touched(node) | (uses & GENERATORS)
        sets = frozenset(_set_by(node) | touched)
        anew = isinstance(node, (ast.Assign, ast.FunctionDef)) and not touched & uses
        return cls(cell, node, sets, uses, anew, tuple(_checks(node)))


def units_of(sources: list[str]) -> list[Unit]:
    """Give the statements of all cells, in order."""
    nodes = [(i, node) for i, source in enumerate(sources) for node in ast.parse(source).body]
    return [Unit.of(cell, node) for cell, node in nodes]


def _defines(node: ast.stmt) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.ClassDef))


def _set_by(node: ast.stmt) -> set[str]:
    if _defines(node):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {x.asname or x.name.split(".")[0] for x in node.names}
    inner = [c.target for c in ast.walk(node) if isinstance(c, ast.comprehension)]
    inner = {id(n) for target in inner for n in ast.walk(target)}  # known in there only
    stored = (n for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in inner)
    return {n.id for n in stored if isinstance(n.ctx, ast.Store)}


def _touched(node: ast.stmt) -> set[str]:
    """Names whose values are changed in place: x[i] = 1, x += 1, x.append(1), add.at(x, i, 1)."""
    found = set()
    for n in ast.walk(node):
        target = None
        if isinstance(n, (ast.Subscript, ast.Attribute)) and isinstance(n.ctx, ast.Store):
            target = n.value
        elif isinstance(n, ast.AugAssign):
            target = n.target
        elif isinstance(n, ast.Expr) and called(n.value) not in CHECKS | {"", "print"}:
            target = n.value
        found |= {x.id for x in ast.walk(target) if isinstance(x, ast.Name)} if target else set()
    return found


def _checks(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls of checks that are in no control."""
    if isinstance(node, ast.With) and "refuted" in {called(x.context_expr) for x in node.items}:
        return
    if called(node) in CHECKS:
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _checks(child)


def that_matter(units: list[Unit], cell: int, line: int) -> Iterator[Unit]:
    """The statement of the check on a line of a cell, and what it rests on, nearest first."""
    needed: set[str] = set()
    for unit in reversed(units):
        own = unit.cell == cell and unit.node.lineno <= line <= unit.node.end_lineno
        later = (unit.cell, unit.node.lineno) > (cell, line)
        if own or (not later and unit.sets & needed):
            if unit.anew:
                needed -= unit.sets
            needed |= unit.uses
            yield unit


def that_checks_need(units: list[Unit]) -> list[Unit]:
    """All statements that matter to any check, in order, with whatever is imported."""
    needed, kept = set(), []
    by_name = {u.node.name for u in units if _defines(u.node) and u.checks}
    for unit in reversed(units):
        checks = bool(unit.checks) or bool(unit.uses & by_name)
        if checks or unit.sets & needed or isinstance(unit.node, (ast.Import, ast.ImportFrom)):
            if unit.anew:
                needed -= unit.sets
            needed |= unit.uses
            kept.append(unit)
    return kept[::-1]


# --- is a thing compared with itself? ------------------------------------------------------------


def same_thing(units: list[Unit], unit: Unit, call: ast.Call) -> str:
    """Give the first side of a check, as source, if the second one is the same; else ""."""
    read, (one, other) = sides_of(units, unit, call)
    return text(one[0]) if one and other and read.words(*one) == read.words(*other) else ""


def sides_of(units: list[Unit], unit: Unit, call: ast.Call):
    """Give a :class:`Reading` and both sides of a check, as arguments for its functions."""
    read = Reading(units[: units.index(unit)] + list(_above(unit, call)))
    options = [k.value for k in call.keywords if k.arg in SIDES]
    sides = [(x, len(read.before)) for x in call.args[1:] + options]
    if sides and isinstance(sides[0][0], ast.Starred):
        pair, at = read.meaning(sides[0][0].value, sides[0][1])
        sides = [(x, at) for x in getattr(pair, "elts", [])]
    return read, [*sides, None, None][:2] if called(call) != "runs" else (None, None)


def _above(unit: Unit, call: ast.Call) -> Iterator[Unit]:
    """The heads of the blocks around a call, and the statements above it in each."""
    node = unit.node
    while True:
        blocks = [getattr(node, name, None) or [] for name in _BLOCKS]
        inner = [(b, s) for b in blocks for s in b if any(x is call for x in ast.walk(s))]
        if not inner:
            return
        yield Unit.of(unit.cell, node)  # a loop sets its names anew in each round
        (block, node), *_ = inner
        yield from (Unit.of(unit.cell, s) for s in block[: block.index(node)])


class Reading:
    """Expressions in words, with every name replaced by what was assigned to it."""

    def __init__(self, before: list[Unit]):
        self.before, self.known = before, {}

    def meaning(self, node: ast.expr, at: int) -> tuple[ast.expr, int]:
        """Follow a name to the expression that it stands for, seen from statement ``at``."""
        while isinstance(node, ast.Name):
            places = (i for i in range(at - 1, -1, -1) if node.id in self.before[i].sets)
            at, name = next(places, -1), node.id
            value = _assigned(name, self.before[at].node) if at >= 0 else None
            if value is None:
                break
            node = value
        return node, at

    def words(self, node: ast.expr, at: int, local=frozenset()) -> str:
        """Give an expression as it is seen from statement ``at``, in one form."""
        if isinstance(node, ast.Name):
            if node.id in local:
                return node.id
            node, at = self.meaning(node, at)
            if isinstance(node, ast.Name):
                return self._opaque(node.id, at)
            if (id(node), at) not in self.known:
                self.known[id(node), at] = _short(self.words(node, at))
            return self.known[id(node), at]
        names = (x for x in ast.walk(node) if isinstance(x, ast.Name))
        bound = {x.id for x in names if isinstance(x.ctx, ast.Store)}
        bound |= {x.arg for x in ast.walk(node) if isinstance(x, ast.arg)}
        return self._form(node, lambda x: self.words(x, at, local | bound))

    def _opaque(self, name: str, at: int) -> str:
        node = self.before[at].node if at >= 0 else None
        if isinstance(node, ast.FunctionDef):  # known by what it does, whatever its name
            return _short(ast.dump(node.args) + "".join(map(ast.dump, node.body)))
        return f"{name}:{at}"

    def _form(self, node: ast.AST, words) -> str:
        if isinstance(node, ast.Constant):
            number = type(node.value) in (int, float)
            return repr(float(node.value)) if number else repr(node.value)
        for kinds, neutral in (((ast.Add, ast.Sub, ast.USub), "0.0"), ((ast.Mult, ast.Div), "1.0")):
            if isinstance(getattr(node, "op", None), kinds):
                parts = sorted(p for p in _parts(node, kinds, words) if p[1] != neutral)
                if len(parts) == 1 and parts[0][0] == "+":
                    return parts[0][1]
                return f"{kinds[0].__name__}({parts})" if parts else neutral
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
            return words(node.operand)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            if words(node.right) == "1.0":
                return words(node.left)
        if called(node) in _WRAPPERS and len(node.args) == 1 and not node.keywords:
            return words(node.args[0])
        if isinstance(node, ast.Call):
            options = sorted(f"{k.arg}={words(k.value)}" for k in node.keywords)
            return f"{words(node.func)}({[words(x) for x in node.args]}{options})"
        parts = []
        for field, value in ast.iter_fields(node):
            for x in value if isinstance(value, list) else [value]:
                if field != "ctx":
                    parts.append(words(x) if isinstance(x, ast.AST) else repr(x))
        return f"{type(node).__name__}({parts})"


def _assigned(name: str, node: ast.stmt) -> ast.expr | None:
    """What an assignment gives to a name, if it says so plainly."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or name in _touched(node):
        return None
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Name):
        return value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=False)
        return next((v for t, v in pairs if getattr(t, "id", "") == name), None)
    return None


def _parts(node: ast.AST, kinds, words, sign: str = "+") -> Iterator[tuple[str, str]]:
    """The terms of a sum, or the factors of a product, each with + or -."""
    if isinstance(getattr(node, "op", None), kinds) and not isinstance(node, ast.AugAssign):
        turned = sign if isinstance(node.op, kinds[0]) else {"+": "-", "-": "+"}[sign]
        if isinstance(node, ast.BinOp):
            yield from _parts(node.left, kinds, words, sign)
        yield from _parts(getattr(node, "right", None) or node.operand, kinds, words, turned)
    else:
        yield sign, words(node)


def _short(words: str) -> str:
    return words if len(words) < _LONG else hashlib.sha256(words.encode()).hexdigest()
