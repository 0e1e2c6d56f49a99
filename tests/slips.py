"""The slips that one makes in a formula, made by machine: alterations of a syntax tree.

    for slip in slips(ast.parse("J = p @ (r * gamma**t)")):
        print(slip.kind, slip.old, "->", slip.new)      # sign, factor, power, constant ...

Each slip carries the whole altered tree.  The order is that of the source, and always the same.
Strings are left alone, but for the letters of an einsum, and so is what only words a message.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FORMULA = ("sign", "factor", "power", "sum", "log", "mean", "axis", "einsum", "slice", "index")
FORMULA += ("constant", "range", "order", "truth", "flag", "transpose", "line")
CALL = ("argument", "name")
KINDS = FORMULA + CALL

LARGE = 1000  # constants from here on are numbers of samples and of steps: one more is no slip
TOLERANCES = {"atol", "false_alarm", "label", "rtol", "where"}  # no part of what a check compares
CHECKS = {"close", "identity", "refuted", "unbiased"}
SILENT = {"print", "display", "fill", "why_not"}  # what these are given is only shown
NAMES_PER_PLACE = 3

_SIGNS = {ast.Add: ast.Sub, ast.Sub: ast.Add}
_TURNED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.NotEq}
_TURNED |= {ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot}
_TURNED |= {ast.IsNot: ast.Is}
_EDGES = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_TWINS = {"mean": "sum", "sum": "mean", "prod": "sum", "max": "min", "min": "max"}
_TWINS |= {"argmax": "argmin", "argmin": "argmax", "std": "var", "var": "std", "any": "all"}
_TWINS |= {"all": "any", "cumsum": "cumprod", "maximum": "minimum", "minimum": "maximum"}
_TWINS |= {"ones": "zeros", "ones_like": "zeros_like", "floor": "ceil", "ceil": "floor"}
_PLAIN = {"log", "exp", "sqrt", "abs", "sign", "cumsum", "diff", "square", "norm", "log1p"}


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


def slips(tree: ast.Module, kinds=KINDS, lines=None, names=None) -> Iterator[Slip]:
    """Yield every slip of these kinds.

    Parameters
    ----------
    tree : the module; it is left as it was.
    kinds : which.
    lines : (first, last) line to stay within; default: all.
    names : a function that gives, for a ``Name`` node, names that may be mistaken for it.
    """
    for path, node in _places(tree):
        line, old, parent = getattr(node, "lineno", 0), "", path[-1][0]
        if lines is not None and not lines[0] <= line <= lines[1]:
            continue
        for kind in KINDS:
            if kind not in kinds:
                continue
            for new in _altered(kind, node, parent, names):
                old, new = old or _text(node), ast.fix_missing_locations(new)
                yield Slip(kind, line, old, _text(new), _replaced(path, new))


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


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
    if field in ("annotation", "returns", "decorator_list", "ctx", "type_comment"):
        return True
    if isinstance(child, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return True
    if isinstance(child, ast.Call) and _is_silent(child):
        return True
    if isinstance(child, ast.With) and "refuted" in map(_called, _calls(child)):
        return True  # a false claim that is false in another way
    if isinstance(parent, ast.Call) and _called(parent) in CHECKS:
        tolerance = isinstance(child, ast.keyword) and child.arg in TOLERANCES
        return tolerance or (field == "args" and index == 0)
    if isinstance(parent, ast.Assign) and field == "value":  # __all__ and its like
        return any(getattr(x, "id", "").startswith("__") for x in parent.targets)
    return False


def _is_silent(call: ast.Call) -> bool:
    """Is the call only there to show something?"""
    return _called(call) in SILENT or ast.unparse(call.func).startswith("figures.")


def _calls(node: ast.With) -> list[ast.Call]:
    return [x.context_expr for x in node.items if isinstance(x.context_expr, ast.Call)]


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _altered(kind: str, node: ast.AST, parent: ast.AST, names) -> Iterator[ast.AST]:
    if kind == "name":
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and names is not None:
            for other in names(node)[:NAMES_PER_PLACE]:
                yield ast.copy_location(ast.Name(other, ast.Load()), node)
        return
    for new in _OPERATORS[kind](node):
        if not isinstance(parent, ast.Expr):  # a statement's value that nothing uses
            yield ast.copy_location(new, node)
        elif kind in ("line", "argument", "einsum"):
            yield ast.copy_location(new, node)


# --- one function for each kind: the nodes that may stand in place of this one -------------------


def _sign(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        yield ast.BinOp(node.left, _SIGNS[type(node.op)](), node.right)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _SIGNS:
        yield ast.AugAssign(node.target, _SIGNS[type(node.op)](), node.value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def _factor(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out a factor, a term or weights, or divide in place of multiplying."""
    if isinstance(node, ast.Call) and _called(node) == "tensordot" and len(node.args) > 1:
        yield _expression("_x.sum(axis=0)", node.args[1])
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, (ast.Mult, ast.Div)):
        yield node.left
        yield ast.BinOp(
            node.left, ast.Div() if isinstance(node.op, ast.Mult) else ast.Mult(), node.right
        )
    if isinstance(node.op, ast.Mult):
        yield node.right
    if isinstance(node.op, (ast.Add, ast.Sub)):
        yield node.left
    if isinstance(node.op, ast.Add):
        yield node.right
    if isinstance(node.op, ast.MatMult):
        yield _expression("_x.sum(axis=0)", node.right)  # the weights
        yield ast.BinOp(node.right, node.op, node.left)


def _power(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield node.left
        yield ast.Constant(1.0)


def _sum(node: ast.AST) -> Iterator[ast.AST]:
    """Only the first or only the last term of a sum."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        for place in ("0", "-1"):
            product = ast.BinOp(node.left, ast.Mult(), node.right)
            yield _expression(f"_x.take({place}, axis=-1)", product)
    if not isinstance(node, ast.Call) or _called(node) not in ("sum", "Sum", "prod", "mean"):
        return
    if isinstance(node.func, ast.Name):
        if node.func.id == "sum" and node.args:
            for place in ("0", "-1"):
                yield _expression(f"list(_x)[{place}]", node.args[0])
        return
    if node.func.attr == "Sum" and len(node.args) == 2 and isinstance(node.args[1], ast.Tuple):
        variable, low, _ = node.args[1].elts
        yield ast.Call(ast.Attribute(node.args[0], "subs", ast.Load()), [variable, low], [])
        return
    of_module = getattr(node.func.value, "id", "") == "np"
    given = node.args[0] if of_module else node.func.value
    axis = next((k.value for k in node.keywords if k.arg == "axis"), None)
    rest = node.args[1:] if of_module else node.args
    axis = rest[0] if axis is None and rest else axis
    for place in ("0", "-1"):
        if axis is None:
            yield _expression(f"_x.ravel()[{place}]", given)
        else:
            yield _expression(f"_x.take({place}, axis={ast.unparse(axis)})", given)


def _expression(template: str, inner: ast.AST) -> ast.AST:
    """The expression with ``inner`` in place of _x."""
    tree = ast.parse(template, mode="eval").body
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.Name) and value.id == "_x":
                setattr(node, field, inner)
            if isinstance(value, list):
                value[:] = [inner if getattr(x, "id", "") == "_x" else x for x in value]
    return tree


def _log(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out a logarithm or another function of one argument."""
    if isinstance(node, ast.Call) and _called(node) in _PLAIN and node.args:
        yield node.args[0]


def _mean(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Attribute) and node.attr in _TWINS:
        yield ast.Attribute(node.value, _TWINS[node.attr], node.ctx)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in ("max", "min"):
            yield ast.Call(ast.Name(_TWINS[node.func.id], ast.Load()), node.args, node.keywords)


def _axis(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.keyword) and node.arg == "axis":
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, int):
            yield ast.keyword("axis", ast.Constant(0 if node.value.value else 1))
        elif isinstance(node.value, ast.UnaryOp):
            yield ast.keyword("axis", ast.Constant(0))


def _einsum(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out a factor, or exchange two letters of what comes out or goes in."""
    if not isinstance(node, ast.Call) or _called(node) != "einsum" or not node.args:
        return
    letters = getattr(node.args[0], "value", None)
    if not isinstance(letters, str) or "->" not in letters:
        return
    going_in, out = letters.split("->")
    parts = going_in.split(",")
    for i in range(len(parts)):
        rest = parts[:i] + parts[i + 1 :]
        if rest and set(out) <= set("".join(rest)) and len(node.args) == len(parts) + 1:
            args = [ast.Constant(",".join(rest) + f"->{out}"), *node.args[1:]]
            yield ast.Call(node.func, args[: i + 1] + args[i + 2 :], node.keywords)
    for new in _exchanged(out):
        yield _with_letters(node, f"{going_in}->{new}")
    for i, part in enumerate(parts):
        for new in _exchanged(part):
            yield _with_letters(node, ",".join([*parts[:i], new, *parts[i + 1 :]]) + f"->{out}")


def _exchanged(word: str) -> Iterator[str]:
    for i in range(len(word) - 1):
        if word[i].isalpha() and word[i + 1].isalpha():
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _with_letters(call: ast.Call, letters: str) -> ast.Call:
    return ast.Call(call.func, [ast.Constant(letters), *call.args[1:]], call.keywords)


def _slice(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Slice):
        return
    one, last = ast.Constant(1), ast.UnaryOp(ast.USub(), ast.Constant(1))
    if node.lower is not None:
        yield ast.Slice(None, node.upper, node.step)
        yield ast.Slice(None, node.upper or last, node.step)
    if node.upper is not None:
        yield ast.Slice(node.lower, None, node.step)
        yield ast.Slice(node.lower or one, None, node.step)
    if node.step is not None:
        yield ast.Slice(node.lower, node.upper, None)


def _index(node: ast.AST) -> Iterator[ast.AST]:
    """The entry after the one that is meant, or before it."""
    if not isinstance(node, ast.Subscript):
        return
    whole = node.slice
    elements = whole.elts if isinstance(whole, ast.Tuple) else [whole]
    for i, element in enumerate(elements):
        if not isinstance(element, (ast.Name, ast.BinOp)):
            continue
        for sign in (ast.Add(), ast.Sub()):
            moved = ast.BinOp(element, sign, ast.Constant(1))
            if isinstance(whole, ast.Tuple):
                moved = ast.Tuple([*elements[:i], moved, *elements[i + 1 :]], ast.Load())
            yield ast.Subscript(node.value, moved, node.ctx)


def _constant(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
        return
    if abs(node.value) < LARGE:
        yield ast.Constant(node.value + 1)
        if node.value:
            yield ast.Constant(node.value * 0.9 if type(node.value) is float else node.value - 1)


def _range(node: ast.AST) -> Iterator[ast.AST]:
    """One step too few, at the end or at the start."""
    if isinstance(node, ast.Call) and _called(node) in ("range", "arange") and node.args:
        stop = 0 if len(node.args) == 1 else 1
        args = list(node.args)
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
        yield ast.BoolOp(other, node.values)
        yield from node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        yield node.left
        yield node.right
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [], node.is_async)


def _flag(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)


def _transpose(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value


def _line(node: ast.AST) -> Iterator[ast.AST]:
    """Leave out a line that changes something already there."""
    changes = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)
    if changes or isinstance(node, (ast.AugAssign, ast.Continue, ast.Break)):
        yield ast.Pass()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        if _called(node.value) not in CHECKS | SILENT:
            yield ast.Pass()


def _argument(node: ast.AST) -> Iterator[ast.AST]:
    """Exchange two arguments, or leave one out."""
    if not isinstance(node, ast.Call):
        return
    first = 1 if _called(node) in CHECKS else 0
    args = node.args
    if first == 0:
        for i in range(len(args) - 1):
            swapped = [*args[:i], args[i + 1], args[i], *args[i + 2 :]]
            yield ast.Call(node.func, swapped, node.keywords)
        if len(args) > 1:
            yield ast.Call(node.func, args[:-1], node.keywords)
    for i, keyword in enumerate(node.keywords):
        if first == 0 or keyword.arg not in TOLERANCES:
            yield ast.Call(node.func, args, node.keywords[:i] + node.keywords[i + 1 :])


_OPERATORS: dict[str, Callable[[ast.AST], Iterator[ast.AST]]] = {
    "sign": _sign,
    "factor": _factor,
    "power": _power,
    "sum": _sum,
    "log": _log,
    "mean": _mean,
    "axis": _axis,
    "einsum": _einsum,
    "slice": _slice,
    "index": _index,
    "constant": _constant,
    "range": _range,
    "order": _order,
    "truth": _truth,
    "flag": _flag,
    "transpose": _transpose,
    "line": _line,
    "argument": _argument,
}
