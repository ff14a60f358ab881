"""What an error says, read from the source: its message and its hint, with what is filled in as ‹names›."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.errors.source import Raise

_DEEPEST = 4
_NAMELESS = ("name", "id", "text", "group", "strip", "get", "leaf", "kind", "rpartition", "partition", "path")
"""Attributes that say less than what they are of."""
_BETTER = {"state": "run", "_path": "path"}


def messages_of(one: Raise) -> list[str]:
    """Its message, in each way in which the source says it."""
    return _texts(one.call.args[0], one) if one.call.args else []


def message_of(one: Raise) -> str:
    """Its message as the page has it; several ways with a slash between."""
    return " / ".join(messages_of(one))


def hints_of(one: Raise) -> list[str]:
    """What to do next, in each way in which the source says it."""
    given = next((word.value for word in one.call.keywords if word.arg == "hint"), None)
    return _texts(given, one) if given is not None else []


def _texts(node: ast.expr, one: Raise) -> list[str]:
    return [text for text in dict.fromkeys(map(_tidy, _ways(node, one, 0))) if text.strip("‹›…. ")]


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _ways(node: ast.expr, one: Raise, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(map(_piece, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            for first in _ways(left, one, depth + 1):
                yield from (first + second for second in _ways(right, one, depth + 1))
        case ast.IfExp(body=body, orelse=other):
            yield from _ways(body, one, depth + 1)
            yield from _ways(other, one, depth + 1)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _ways(value, one, depth + 1)
        case ast.Name(id=name):
            for found in _bound(name, one):
                yield from _ways(found, one, depth + 1)
        case ast.Call(func=ast.Name(id=name)):
            for found in _returned(name, one.module):
                yield from _ways(found, one, depth + 1)


def _bound(name: str, one: Raise) -> Iterator[ast.expr]:
    """What a name stands for: within the function, or else in the module."""
    found = list(_assigned(name, one.function, one.module)) if one.function else []
    yield from found or _assigned(name, one.module, one.module)


def _assigned(name: str, scope: ast.AST, module: ast.Module) -> Iterator[ast.expr]:
    for node in scope.body if isinstance(scope, ast.Module) else ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                yield value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=value):
                yield from _column(name, names, value, module)
            case ast.For(target=ast.Tuple(elts=names), iter=value):
                yield from _column(name, names, value, module)
            case ast.FunctionDef(args=given):
                defaults = zip(reversed(given.args), reversed(given.defaults), strict=False)
                yield from (value for argument, value in defaults if argument.arg == name)


def _column(name: str, names: list[ast.expr], value: ast.expr, module: ast.Module) -> Iterator[ast.expr]:
    """The values that a name gets where rows of a table are unpacked."""
    at = next((i for i, target in enumerate(names) if isinstance(target, ast.Name) and target.id == name), None)
    for row in _rows(value, module) if at is not None else ():
        if isinstance(row, ast.Tuple) and len(row.elts) == len(names):
            yield row.elts[at]


def _rows(value: ast.expr, module: ast.Module) -> Iterator[ast.expr]:
    match value:
        case ast.BoolOp(values=values):
            for one in values:
                yield from _rows(one, module)
        case ast.Tuple(elts=elements) if all(isinstance(one, ast.Tuple) for one in elements):
            yield from elements
        case ast.Tuple():
            yield value
        case ast.Dict(values=values):
            yield from values
        case ast.Subscript(value=ast.Name(id=name)) | ast.Name(id=name):
            for found in _assigned(name, module, module):
                yield from _rows(found, module)
        case ast.Call(func=ast.Attribute(value=ast.Name() as table, attr="get")):
            yield from _rows(table, module)


def _returned(name: str, module: ast.Module) -> Iterator[ast.expr]:
    for function in module.body:
        if isinstance(function, ast.FunctionDef) and function.name == name:
            found = (node for node in ast.walk(function) if isinstance(node, ast.Return))
            yield from (node.value for node in sorted(found, key=lambda one: one.lineno) if node.value is not None)


def _piece(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    assert isinstance(value, ast.FormattedValue)
    return f"‹{_name(value.value) or '…'}›"


def _name(node: ast.expr) -> str:
    """The word for a value: the last one of an attribute, what a call is given, what is left of a cut text."""
    match node:
        case ast.Name(id=name):
            return _word(name)
        case ast.Attribute(value=value, attr=name) if name in _NAMELESS and _name(value) != "self":
            return _name(value)
        case ast.Attribute(attr=name):
            return _word(name)
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Subscript(value=value):
            return _name(value)
        case ast.Call(args=[first, *_]):
            return _name(first) or _name(node.func)
        case ast.Call(func=function):
            return _name(function.value) if isinstance(function, ast.Attribute) else _name(function)
        case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element):
            return _name(element)
        case ast.BoolOp(values=[first, *_]) | ast.BinOp(left=first):
            return _name(first)
        case ast.IfExp(body=body, orelse=other):
            return _name(body) or _name(other)
        case _:
            return ""


def _word(name: str) -> str:
    return _BETTER.get(name, name).strip("_").replace("_", " ").lower()
