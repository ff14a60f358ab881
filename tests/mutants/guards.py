"""Which places of a module are guard clauses: what decides that something is refused, or not proven, or not safe.

That is the condition of an `if` that raises, or leaves its function with False, None or nothing; each `return` of a
function that answers yes or no; an `except` that raises or says no; and the conditions in the value
of a name that a raising `if` looks at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ADDING = ("append", "extend", "add")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Span:
    """A piece of source, from a line (from 1) and column to another."""

    start: tuple[int, int]
    end: tuple[int, int]

    @classmethod
    def of(cls, first: ast.AST, last: ast.AST | None = None) -> Span:
        """What a node covers, or what two and all between them do."""
        last = last or first
        # Whatever is asked for here was read from source, where each node knows its place.
        return cls((first.lineno, first.col_offset), (last.end_lineno, last.end_col_offset))  # type: ignore[attr-defined]

    def holds(self, place: tuple[int, int]) -> bool:
        return self.start <= place < self.end


@dataclass(frozen=True)
class Source:
    """A module, as far as its mutants are concerned."""

    guards: tuple[Span, ...]
    asides: tuple[Span, ...]
    bodies: tuple[tuple[Span, str], ...]
    statements: tuple[Span, ...]

    def in_guard(self, place: tuple[int, int]) -> bool:
        """Whether it decides something. How long a call may take, which it names and sets, is no decision."""
        return any(span.holds(place) for span in self.guards) and not any(span.holds(place) for span in self.asides)

    def function(self, place: tuple[int, int]) -> str:
        """The innermost function; "" for what runs only when the module is imported."""
        inside = [(span.start, name) for span, name in self.bodies if span.holds(place)]
        return max(inside)[1] if inside else ""

    def lines(self, place: tuple[int, int]) -> range:
        """The lines of the innermost statement: of one of several lines any may be the one that a tracer sees."""
        span = max(span for span in self.statements if span.holds(place))
        return range(span.start[0], span.end[0] + 1)


def read(text: str) -> Source:
    """Look a module over."""
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    guards = sorted({span for function in functions for span in _guards(function)})
    bodies = [(Span.of(function.body[0], function.body[-1]), function.name) for function in functions]
    bodies += [(Span.of(one.body), "lambda") for one in lambdas]
    handed = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword)]
    asides = tuple(Span.of(value) for value in handed if isinstance(value, ast.Constant))
    return Source(tuple(guards), asides, tuple(bodies), tuple(_statements(tree)))


def _statements(tree: ast.Module) -> Iterator[Span]:
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            body = getattr(node, "body", None)
            if not isinstance(body, list):
                yield Span.of(node)
            elif not isinstance(node, ast.match_case):
                # Only its head: the statements within are statements of their own.
                yield Span((node.lineno, node.col_offset), (body[0].lineno, body[0].col_offset))


def _guards(function: Function) -> Iterator[Span]:
    inside = list(_own(function))
    decides = isinstance(function.returns, ast.Name) and function.returns.id == "bool"
    raising = [node for node in inside if isinstance(node, ast.If) and (_raises(node.body) or _raises(node.orelse))]
    names = {name.id for node in raising for name in ast.walk(node.test) if isinstance(name, ast.Name)}
    for node in inside:
        match node:
            case ast.If() if node in raising or _refuses(node.body) or _refuses(node.orelse) or _adds(node, names):
                yield Span.of(node.test)
            case ast.ExceptHandler() if _raises(node.body) or _refuses(node.body):
                yield Span((node.lineno, node.col_offset), (node.body[0].lineno, node.body[0].col_offset))
            case ast.Return(value=ast.expr() as value) if decides:
                yield Span.of(value)
            case ast.Assign(value=value) if names & {name.id for t in node.targets for name in _names(t)}:
                yield from _conditions(value)


def _conditions(value: ast.expr) -> Iterator[Span]:
    """What in a value decides which one it is."""
    for node in ast.walk(value):
        match node:
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                yield Span.of(node)
            case ast.IfExp(test=test):
                yield Span.of(test)
            case ast.comprehension(ifs=filters):
                yield from map(Span.of, filters)


def _own(function: Function) -> Iterator[ast.AST]:
    """What is in a function, but for functions within it, which are looked at by themselves."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _names(node: ast.AST) -> Iterator[ast.Name]:
    return (name for name in ast.walk(node) if isinstance(name, ast.Name))


def _raises(body: Sequence[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Raise)


def _refuses(body: Sequence[ast.stmt]) -> bool:
    """Whether it ends with a plain no: False, None, or nothing at all."""
    if not body or not isinstance(body[-1], ast.Return):
        return False
    value = body[-1].value
    # Not by ==, for which 0 is False.
    return value is None or (isinstance(value, ast.Constant) and (value.value is None or value.value is False))


def _adds(node: ast.If, names: set[str]) -> bool:
    """Whether it adds to, or sets, what a raising `if` looks at."""
    for inner in (inner for statement in node.body for inner in ast.walk(statement)):
        match inner:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=does)) if does in _ADDING and name in names:
                return True
            case ast.Assign() if names & {name.id for target in inner.targets for name in _names(target)}:
                return True
            case ast.AugAssign(target=ast.Name(id=name)) if name in names:
                return True
    return False
