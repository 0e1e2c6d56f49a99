"""The slips that one makes in a formula, made by machine: alterations of a syntax tree.

    for slip in slips(ast.parse("J = p @ (r * gamma**t)")):
        print(slip.kind, slip.old, "->", slip.new)          # near: r -> 1.1 * r; factor; power ...

``near`` is the finest: one operand of a formula, a factor, a term or what a function is taken of,
comes out 10 % too large or too small; never all of a statement's value.  Every slip strikes a
formula, which has a variable in it: another constant, index or name in place of the one that is
meant would show only that things are compared.

Each slip carries the whole altered tree.  The order is that of the source, and always the same.
Strings are left alone, but for the letters of an einsum, and so is what only words a message.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CHECKS = {"close", "identity", "refuted", "runs", "unbiased"}
TOLERANCES = {
    "atol",
    "false_alarm",
    "label",
    "rtol",
    "scale",
    "where",
}  # no part of what a check compares
SILENT = {"assumes", "print", "display", "fill", "why_not"}  # what they are given checks nothing
MODULES = {"math", "np", "sp"}  # names that vary with nothing

_PLAIN = {"log", "exp", "sqrt", "abs", "sign", "cumsum", "diff", "square", "norm", "log1p"}
# Of these, an argument is an operand, or what the method is called on.
_OPERANDS = {"diff", "abs", "dot", "einsum", "exp", "kron", "log", "log1p", "max", "maximum", "min"}
_OPERANDS |= {"minimum", "outer", "prod", "sign", "solve", "sqrt", "square", "tensordot"}
_SIGNS = {ast.Add: ast.Sub, ast.Sub: ast.Add}
_TURNED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.NotEq}
_TURNED |= {ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot}
_TURNED |= {ast.IsNot: ast.Is}
_EDGES = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_TWINS = {"mean": "sum", "sum": "mean", "prod": "sum", "max": "min", "min": "max"}
_TWINS |= {"argmax": "argmin", "argmin": "argmax", "std": "var", "var": "std", "any": "all"}
_TWINS |= {"all": "any", "cumsum": "cumprod", "maximum": "minimum", "minimum": "maximum"}
_TWINS |= {"ones": "zeros", "ones_like": "zeros_like", "floor": "ceil", "ceil": "floor"}


@dataclass(frozen=True)
class Slip:
    """One alteration.

    Attributes
    ----------
    kind : one of ``KINDS``.
    line : where it stands, from 1.
    old, new : the expression before and after, as source.
    tree : the module with the alteration in it.
    """

    kind: str
    line: int
    old: str
    new: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.old} -> {self.new}"


def slips(tree: ast.Module, kinds=None, lines=None) -> Iterator[Slip]:
    """Yield every slip of these kinds (default: all) that begins on these lines (default: all)."""
    for path, node in _places(tree):
        line, old = getattr(node, "lineno", 0), ""
        if lines is not None and line not in lines:
            continue
        for kind in KINDS if kinds is None else kinds:
            for new, words in _altered(kind, path, node):
                new = ast.fix_missing_locations(ast.copy_location(new, node))
                old = old or text(node)
                yield Slip(kind, line, old, words or text(new), _replaced(path, new))


def text(node: ast.AST) -> str:
    """Give the source of an expression, on one line."""
    return " ".join(ast.unparse(node).split())


def called(node: ast.AST) -> str:
    """Give the last name of what is called; empty where nothing is."""
    return getattr(node.func, "id", getattr(node.func, "attr", "")) if _is_call(node) else ""


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call)


def _replaced(path, new: ast.AST) -> ast.Module:
    """The tree with ``new`` at the end of the path; all else is shared with the old tree."""
    for parent, field, index in reversed(path):
        changed = copy.copy(parent)
        if index is None:
            setattr(changed, field, new)
        else:
            items = list(getattr(parent, field))
            items[index] = new
            setattr(changed, field, items)
        new = changed
    return new


def _places(node: ast.AST, path=()) -> Iterator[tuple[tuple, ast.AST]]:
    """Every place where a slip may be made, from the top: the way to it and what stands there.

    The way is a tuple of steps (parent, field, index); the index is None but in lists.
    """
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _is_wording(node, field, index, child):
                here = (*path, (node, field, index))
                yield here, child
                yield from _places(child, here)


def _is_wording(parent: ast.AST, field: str, index: int | None, child: ast.AST) -> bool:
    """Is it of no effect on any result: an annotation, a message, a label, a tolerance?"""
    if field in ("annotation", "returns", "decorator_list", "ctx", "type_comment", "slice"):
        return True
    if isinstance(child, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return True
    if called(child) in SILENT or (_is_call(child) and text(child.func).startswith("figures.")):
        return True
    if isinstance(child, ast.With) and "refuted" in {called(x.context_expr) for x in child.items}:
        return True  # a false claim that is false in another way
    if called(parent) in CHECKS:
        tolerance = isinstance(child, ast.keyword) and child.arg in TOLERANCES
        return tolerance or (field == "args" and index == 0)
    return isinstance(parent, ast.Assign) and any(
        getattr(x, "id", "").startswith("__") for x in parent.targets
    )


def _altered(kind: str, path, node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    varies = not isinstance(node, ast.expr) or _varies(node)
    unused = isinstance(path[-1][0], ast.Expr)  # a statement's value
    if not varies or (unused and kind != "line"):
        return
    if kind == "near":
        yield from _near(path, node)
    else:
        yield from ((new, "") for new in _OPERATORS[kind](node))


def _varies(node: ast.AST) -> bool:
    return any(isinstance(x, ast.Name) and x.id not in MODULES for x in ast.walk(node))


def _near(path, node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """An operand 10 % too large, or too small."""
    (parent, field, index), above = path[-1], path[-2][0] if len(path) > 1 else None
    operand = isinstance(parent, ast.BinOp) or (isinstance(parent, ast.AugAssign) and index is None)
    operand |= called(parent) in _OPERANDS and field == "args"
    operand |= called(above) in _OPERANDS and isinstance(parent, ast.Attribute)
    number = isinstance(node, (ast.Name, ast.BinOp, ast.Call, ast.Subscript, ast.Attribute))
    if not (operand and number and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)):
        return
    if isinstance(node, ast.Name) and node.id in MODULES:
        return
    words = f"({text(node)})" if isinstance(node, ast.BinOp) else text(node)
    for tenths, factor in ((11, "1.1"), (9, "0.9")):
        by = ast.BinOp(node, ast.Mult(), ast.Constant(tenths))  # exact for SymPy too
        yield ast.BinOp(by, ast.Div(), ast.Constant(10)), f"{factor} * {words}"


# --- one function for each other kind: the nodes that may stand in place of this one -------------


def _sign(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        yield ast.BinOp(node.left, _SIGNS[type(node.op)](), node.right)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _SIGNS:
        yield ast.AugAssign(node.target, _SIGNS[type(node.op)](), node.value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def _factor(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out a factor, a term or weights, or divide in place of multiplying."""
    if called(node) == "tensordot" and len(node.args) > 1:
        yield _expression("_x.sum(axis=0)", node.args[1])
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, (ast.Mult, ast.Div)):
        turned = ast.Div() if isinstance(node.op, ast.Mult) else ast.Mult()
        yield from (node.left, ast.BinOp(node.left, turned, node.right))
    if isinstance(node.op, (ast.Add, ast.Sub)):
        yield node.left
    if isinstance(node.op, (ast.Mult, ast.Add)):
        yield node.right
    if isinstance(node.op, ast.MatMult):
        yield _expression("_x.sum(axis=0)", node.right)  # the weights
        yield ast.BinOp(node.right, node.op, node.left)


def _power(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield from (node.left, ast.Constant(1.0))


def _sum(node: ast.AST) -> Iterator[ast.AST]:
    """Only the first or only the last term of a sum."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        product = ast.BinOp(node.left, ast.Mult(), node.right)
        yield from (_expression(f"_x.take({i}, axis=-1)", product) for i in (0, -1))
    if called(node) not in ("sum", "prod", "mean"):
        return
    of_module = getattr(getattr(node.func, "value", None), "id", "") in MODULES
    if isinstance(node.func, ast.Name):
        yield from (_expression(f"list(_x)[{i}]", node.args[0]) for i in (0, -1) if node.args)
        return
    given, rest = (node.args[0], node.args[1:]) if of_module else (node.func.value, node.args)
    axis = next((k.value for k in node.keywords if k.arg == "axis"), rest[0] if rest else None)
    picked = "ravel()[{}]" if axis is None else f"take({{}}, axis={text(axis)})"
    yield from (_expression(f"_x.{picked.format(i)}", given) for i in (0, -1))


def _expression(template: str, inner: ast.AST) -> ast.AST:
    """The expression with ``inner`` in place of _x."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node):
            return inner if node.id == "_x" else node

    return Put().visit(ast.parse(template, mode="eval").body)


def _log(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out a logarithm or another function of one argument."""
    if called(node) in _PLAIN and node.args:
        yield node.args[0]


def _mean(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Attribute) and node.attr in _TWINS:
        yield ast.Attribute(node.value, _TWINS[node.attr], node.ctx)
    elif called(node) in ("max", "min") and isinstance(node.func, ast.Name):
        yield ast.Call(ast.Name(_TWINS[node.func.id], ast.Load()), node.args, node.keywords)


def _axis(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.keyword) and node.arg == "axis":
        yield ast.keyword("axis", ast.Constant(1 if text(node.value) == "0" else 0))


def _einsum(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out a factor, or exchange two letters of what comes out or goes in."""
    letters = getattr(node.args[0], "value", "") if called(node) == "einsum" and node.args else ""
    if "->" not in str(letters):
        return
    going_in, out = letters.split("->")
    parts = going_in.split(",")
    for i in range(len(parts)):
        rest = parts[:i] + parts[i + 1 :]
        if rest and set(out) <= set("".join(rest)) and len(node.args) == len(parts) + 1:
            args = [ast.Constant(",".join(rest) + f"->{out}"), *node.args[1:]]
            yield ast.Call(node.func, args[: i + 1] + args[i + 2 :], node.keywords)
    exchanged = [f"{going_in}->{new}" for new in _exchanged(out)]
    for i, part in enumerate(parts):
        whole = (",".join([*parts[:i], new, *parts[i + 1 :]]) for new in _exchanged(part))
        exchanged += [f"{new}->{out}" for new in whole]
    for new in exchanged:
        yield ast.Call(node.func, [ast.Constant(new), *node.args[1:]], node.keywords)


def _exchanged(word: str) -> Iterator[str]:
    for i in range(len(word) - 1):
        if word[i].isalpha() and word[i + 1].isalpha():
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _range(node: ast.AST) -> Iterator[ast.AST]:
    """One step too few, at the end or at the start."""
    if called(node) in ("range", "arange") and node.args:
        stop, args = min(len(node.args) - 1, 1), list(node.args)
        args[stop] = ast.BinOp(args[stop], ast.Sub(), ast.Constant(1))
        yield ast.Call(node.func, args, node.keywords)
        if len(node.args) == 1:
            yield ast.Call(node.func, [ast.Constant(1), *node.args], node.keywords)


def _order(node: ast.AST) -> Iterator[ast.AST]:
    """A comparison turned around, or off by the one case of equality."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for table in (_TURNED, _EDGES):
            if type(node.ops[0]) in table:
                yield ast.Compare(node.left, [table[type(node.ops[0])]()], node.comparators)


def _truth(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
        yield node.operand
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield from (ast.BoolOp(other, node.values), *node.values)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        yield from (node.left, node.right)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [], node.is_async)


def _transpose(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value


def _line(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out a line that changes something already there."""
    changes = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)
    if changes or isinstance(node, (ast.AugAssign, ast.Continue, ast.Break)):
        yield ast.Pass()


_OPERATORS: dict[str, Callable[[ast.AST], Iterator[ast.AST]]] = {
    "sign": _sign,
    "factor": _factor,
    "power": _power,
    "sum": _sum,
    "log": _log,
    "mean": _mean,
    "axis": _axis,
    "einsum": _einsum,
    "range": _range,
    "order": _order,
    "truth": _truth,
    "transpose": _transpose,
    "line": _line,
}
KINDS = ("near", *_OPERATORS)
