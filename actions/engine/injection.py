"""Which values a step's function takes: those that its parameters name.

A field of the request, a fact that an earlier step gives, or a tool. A misfit of name or type is found
when the catalog is imported, not at three in the morning.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from string import Formatter
from typing import Any, get_args, get_origin, get_type_hints

from actions.engine.child import Child, ChildEnd, ChildRequest
from actions.engine.claims import Mode, wanted_by
from actions.engine.each import Each
from actions.engine.procedure import Act, Answer, Ask, Look, MayAnswer, Option, OptionEffect, Procedure, Step
from actions.engine.standstill import Standstill

SECOND_SITE = "there"
"""The name under which steps take the tools of a second site."""


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
        elif isinstance(step, Child):
            given[step.gives] = tuple[ChildEnd, ...]
    return given


def item_type(procedure: Procedure, step: Each | Child) -> Any:
    """The type of a loop's items: of what the sequence holds that `over` names.

    Raises:
        Miswired: nobody gives it, it is no sequence, or its items have no name.
    """
    given = {**get_type_hints(procedure.request), **fact_types(procedure)}
    where = f"{procedure.name}, step '{step.title}'"
    if step.over not in given:
        raise Miswired(f"{where}: nobody gives '{step.over}'")
    held = _held_by(given[step.over])
    if held is None:
        raise Miswired(f"{where}: '{step.over}' is {given[step.over]}, which does not say what it is a sequence of")
    if held is not str and not (hasattr(held, "name") or "name" in get_type_hints(held)):
        raise Miswired(f"{where}: an item of '{step.over}' is neither a text nor has it a name")
    return held


def _held_by(kind: Any) -> Any:
    """What a sequence holds: `tuple[X, ...]`, or a class that says what is iterated over; None for anything else."""
    if get_origin(kind) is None:
        iterated = getattr(kind, "__iter__", None)
        kind = get_type_hints(iterated).get("return") if callable(iterated) and kind is not str else None
    elif get_origin(kind) not in (tuple, list, Sequence):
        return None
    return next(iter(get_args(kind)), None)


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
    if not procedure.there:
        known.pop(SECOND_SITE, None)
    if why := _misplaced(procedure, asked):
        raise Miswired(f"{procedure.name}: {why}")
    known |= {f.name: asked[f.name] for f in dataclasses.fields(procedure.request)}
    types = fact_types(procedure)
    for step in procedure.steps:
        own = _own(procedure, step, known)
        for function in _functions(step):
            _check_one(procedure.name, step.title, function, known | own)
        if why := _contradicts(step):
            raise Miswired(f"{procedure.name}, step '{step.title}': {why}")
        if isinstance(step, (Look, Ask, Child)):
            known[step.gives] = types[step.gives]
    if why := _public_words(procedure.public or {}):
        raise Miswired(f"{procedure.name}, public: {why}")
    for named in ("report", "says"):
        if callable(function := getattr(procedure, named)):
            ended = {"standstill": Standstill} if named == "report" else {}
            _check_one(procedure.name, named, function, known | ended)


def _public_words(words: Mapping[str, str]) -> str:
    """What is wrong with words for the status page: nobody is to find out when customers should read them."""
    for kind, text in words.items():
        if kind not in ("started", "finished", "failed"):
            return f"there is no update of the kind '{kind}'"
        named = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
        if strange := named - {"subject", "to", "lost"}:
            return f"'{kind}' names {{{min(strange)}}}, which nobody gives"
    return ""


def _misplaced(procedure: Procedure, asked: Mapping[str, Any]) -> str:
    """What of its second site cannot be meant."""
    claims = [one for one in wanted_by(procedure.claims, procedure.yields) if one.site]
    for field in (*([procedure.there] if procedure.there else []), *(one.site for one in claims)):
        if asked.get(field) is not str:
            return f"a site is named by '{field}', which is no text of its request"
    if any(one.mode is Mode.YIELDING for one in claims):
        return "only what is claimed of its own site can yield"
    if procedure.there and SECOND_SITE not in taken(procedure):
        return f"its request names a second site, and no step takes '{SECOND_SITE}'"
    return ""


def _contradicts(step: Step) -> str:
    """What of a step cannot be meant."""
    if isinstance(step, Child):
        opened = get_type_hints(step.opens).get("return")
        return "" if opened is ChildRequest else f"`opens` gives {opened}, not a ChildRequest"
    if isinstance(step, Act) and (step.do is None) is (step.by_hand is None):
        return "either `do` or `by_hand`, not both and not none"
    if not isinstance(step, Ask) or step.silence is OptionEffect.BACK:
        return ""
    if step.silence is not OptionEffect.ON or step.options[0].leads is not OptionEffect.ON:
        return "silence leads back, or on with the first option"
    if step.stands is not None or any(o.leads is OptionEffect.ON and (o.types or _second(o)) for o in step.options):
        return "silence cannot approve what a second person, a typed word or a fresh answer is wanted for"
    return "'Hold' is no option of its own" if any(o.label.casefold() == "hold" for o in step.options) else ""


def _second(option: Option) -> bool:
    return option.who is MayAnswer.SECOND


def _own(procedure: Procedure, step: Step, known: Mapping[str, Any]) -> dict[str, Any]:
    """What only the functions of this step may take."""
    if isinstance(step, Each):
        return {"item": _item_of(procedure, step, known)}
    if isinstance(step, Child):
        items = {"item": _item_of(procedure, step, known)} if step.over else {}
        return {**items, "children": tuple[ChildEnd, ...]}
    return {}


def _item_of(procedure: Procedure, step: Each | Child, known: Mapping[str, Any]) -> Any:
    """The type of a loop's items, once their sequence is known; the functions of an item alone take nothing else."""
    kind = item_type(procedure, step)
    if step.over not in known:
        raise Miswired(f"{procedure.name}, step '{step.title}': nobody gives '{step.over}' at this point")
    for function in (step.needs, step.by_hand, step.spare) if isinstance(step, Each) else (step.needs,):
        if callable(function):
            _check_one(procedure.name, step.title, function, {"item": kind})
    return kind


def _functions(step: Step) -> list[Callable[..., Any]]:
    match step:
        case Look():
            return [step.look]
        case Act():
            given = (step.do, step.by_hand, step.verify, step.undo, step.leaves_out)
            return [named for named in given if named is not None]
        case Each():
            return [named for named in (step.do, step.verify, step.undo) if named is not None]
        case Child():
            return [named for named in (step.opens, step.undo) if named is not None]
        case Ask():
            words = [option.does for option in step.options if callable(option.does)]
            asked = (step.sheets, step.card, step.applies, step.leaves_out, step.adds, step.lasts, step.offers)
            return [*words, *(named for named in asked if named is not None)]


def _check_one(procedure: str, title: str, function: Callable[..., Any], known: Mapping[str, Any]) -> None:
    where = f"{procedure}, step '{title}', {function.__name__}"
    for name, kind in parameters(function).items():
        if name not in known:
            raise Miswired(f"{where}: nobody gives '{name}' at this point")
        if kind != known[name]:
            raise Miswired(f"{where}: '{name}' is {known[name]}, not {kind}")
