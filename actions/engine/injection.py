"""Which values a step's function takes: those that its parameters name.

A field of the request, a fact that an earlier step gives, or a tool. A misfit of name or type is found
when the catalog is imported, not at three in the morning.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_type_hints

from actions.engine.procedure import Act, Answer, Ask, Look, Procedure


class Miswired(TypeError):
    """A step's function names a value that nobody gives, or expects another type."""


@cache
def parameters(function: Callable[..., Any]) -> Mapping[str, Any]:
    """The names and types of what a function takes. A table's functions never change, so each is read once."""
    hints = get_type_hints(function)
    return {name: hints.get(name, Any) for name in _names(function)}


def call(function: Callable[..., Any], scope: Mapping[str, Any]) -> Any:
    """Call a step's function with just what its parameters name."""
    return function(**{name: scope[name] for name in _names(function)})


@cache
def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    # Apart from the types, which only a check needs; reading a signature takes longer than many a look itself.
    return tuple(inspect.signature(function).parameters)


def taken(procedure: Procedure) -> frozenset[str]:
    """All names that the functions of a procedure's steps take."""
    return frozenset(name for step in procedure.steps for function in _functions(step) for name in _names(function))


def fact_types(procedure: Procedure) -> dict[str, Any]:
    """The type of every fact that a procedure's steps give."""
    given: dict[str, Any] = {}
    for step in procedure.steps:
        if isinstance(step, Look):
            given[step.gives] = _given_by(step.look)
        elif isinstance(step, Ask):
            given[step.gives] = Answer
    return given


@cache
def _given_by(look: Callable[..., Any]) -> Any:
    return get_type_hints(look)["return"]


def check(procedure: Procedure, tools: Mapping[str, Any]) -> None:
    """Prove that every step of a procedure can be called.

    Raises:
        Miswired: naming the procedure, the step, the function and the parameter.
    """
    known: dict[str, Any] = dict(tools)
    asked = get_type_hints(procedure.request)
    known |= {f.name: asked[f.name] for f in dataclasses.fields(procedure.request)}
    types = fact_types(procedure)
    for step in procedure.steps:
        for function in _functions(step):
            _check_one(procedure.name, step.title, function, known)
        if isinstance(step, (Look, Ask)):
            known[step.gives] = types[step.gives]
    if procedure.report:
        _check_one(procedure.name, "report", procedure.report, known)


def _functions(step: Look | Act | Ask) -> list[Callable[..., Any]]:
    match step:
        case Look():
            return [step.look]
        case Act():
            return [step.do, step.verify, *([step.undo] if step.undo else [])]
        case Ask():
            return [named for named in (step.sheets, step.applies, step.leaves_out) if named is not None]


def _check_one(procedure: str, title: str, function: Callable[..., Any], known: Mapping[str, Any]) -> None:
    where = f"{procedure}, step '{title}', {function.__name__}"
    for name, kind in parameters(function).items():
        if name not in known:
            raise Miswired(f"{where}: nobody gives '{name}' at this point")
        if kind is not known[name]:
            raise Miswired(f"{where}: '{name}' is {known[name]}, not {kind}")
