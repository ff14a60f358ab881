"""The items of a loop in waves: worked out, and refused where they cannot be, before anything is begun."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actions.engine import facts as facts_of
from actions.engine.child import Child
from actions.engine.each import Each
from actions.engine.errors import Refused
from actions.engine.procedure import Procedure


def name_of(item: Any) -> str:
    """The name by which the journal knows an item."""
    return str(item if isinstance(item, str) else item.name)


def line_up(step: Each, items: Iterable[Any]) -> list[dict[str, Any]]:
    """The items with what they need and their waves, as the journal keeps them.

    Raises:
        Refused: two have one name, one needs what is not there, or some wait for each other.
    """
    given = list(items)
    by_name = {name_of(item): item for item in given}
    if len(by_name) < len(given):
        raise _refused(step, "two items have the same name", ", ".join(map(name_of, given)))
    needs = {name: _needs(step, item) for name, item in by_name.items()}
    for name, needed in needs.items():
        if unknown := [other for other in needed if other not in by_name]:
            raise _refused(step, f"{name} needs {unknown[0]}, which is not there", f"There are: {', '.join(by_name)}.")
    waves, spare = _waves(step, needs), _spare(step, by_name, needs)
    return [
        {
            "name": name,
            "wave": waves[name],
            "needs": list(needs[name]),
            "spare": name in spare,
            "by_hand": step.by_hand(item) if step.by_hand is not None else "",
            "value": facts_of.to_json(item),
        }
        for name, item in by_name.items()
    ]


def must_line_up(procedure: Procedure, fact: str, found: Any) -> None:
    """See, as soon as a look gave the items of a loop, that they can be carried out.

    Raises:
        Refused: they cannot.
    """
    for step in procedure.steps:
        if isinstance(step, (Each, Child)) and step.over == fact:
            line_up(step if isinstance(step, Each) else step.lined(), found)


def _needs(step: Each, item: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.needs(item))) if step.needs is not None else ()


def _waves(step: Each, needs: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Each item one wave after the last of what it needs."""
    waves: dict[str, int] = {}
    while len(waves) < len(needs):
        ready = [name for name, needed in needs.items() if name not in waves and all(n in waves for n in needed)]
        if not ready:
            held = [f"{name} needs {', '.join(needs[name])}" for name in needs if name not in waves]
            raise _refused(step, "some items wait for each other", "; ".join(held))
        waves |= {name: 1 + max((waves[n] for n in needs[name]), default=0) for name in ready}
    return waves


def _spare(step: Each, items: Mapping[str, Any], needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Those that may be missed: an item that another needs which may not is not one of them."""
    spare = {name for name, item in items.items() if (step.spare(item) if callable(step.spare) else step.spare)}
    while bound := {needed for name in needs if name not in spare for needed in needs[name]} & spare:
        spare -= bound
    return spare


def _refused(step: Each, why: str, detail: str) -> Refused:
    return Refused(
        f"'{step.title}' cannot be carried out: {why}.",
        code="MD-RUN-018",
        detail=detail,
        hint="Set right what says which item needs which (for services their depends_on), then ask anew.",
    )
