"""Putting a question: what people read, which options are offered; or its first option, where nothing is to choose.

An instruction for what is done by hand is put like a question, to which somebody answers that it is done, or cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from actions.engine import facts as facts_of
from actions.engine import injection
from actions.engine.journal import Kind
from actions.engine.procedure import Answer, Ask, Option, OptionEffect, Procedure, Sheet
from actions.engine.run_parts import Question

Told = tuple[Kind, dict[str, Any]]

HOLD = Option("Hold", leads=OptionEffect.HOLD)
"""Stops a countdown. Whoever may steer the run may hold it."""


def put(procedure: Procedure, ask: Ask, scope: Mapping[str, Any], facts: Iterable[str], now: datetime) -> Told:
    """What the journal keeps of a question. `facts` names those of the scope that the approval covers."""
    if ask.applies is not None and not injection.call(ask.applies, scope):
        return _settled(ask)
    left_out = injection.call(ask.leaves_out, scope) if ask.leaves_out is not None else ()
    added = injection.call(ask.adds, scope) if ask.adds is not None else ()
    options = [option for option in (*ask.options, *added) if option.label not in left_out]
    countdown = {"silence": ask.silence} if ask.silence is not OptionEffect.BACK else {}
    options += [HOLD] if countdown else []
    options = [_worded(option, scope) for option in options]
    sheets = injection.call(ask.sheets, scope) if ask.sheets is not None else ()
    offers = injection.call(ask.offers, scope) if ask.offers is not None else ()
    card = injection.call(ask.card, scope) if ask.card is not None else ()
    return Kind.ASKED, {
        "title": ask.title,
        "options": [{**facts_of.to_json(option), "gives": ask.gives} for option in options],
        "expires_at": (now + _lasts(ask, scope)).isoformat(),
        "plan": facts_of.plan_hash(procedure.name, scope["request"], {name: scope[name] for name in facts}),
        "sheets": [facts_of.to_json(sheet) for sheet in sheets],
        **({"offers": [facts_of.to_json(offer) for offer in offers]} if offers else {}),
        **({"card": [facts_of.to_json(row) for row in card]} if card else {}),
        **countdown,
    }


def _lasts(ask: Ask, scope: Mapping[str, Any]) -> timedelta:
    lasts: timedelta = injection.call(ask.lasts, scope) if ask.lasts is not None else ask.expires
    return lasts


def _worded(option: Option, scope: Mapping[str, Any]) -> Option:
    """The option with the words for what it does this time."""
    return replace(option, does=injection.call(option.does, scope)) if callable(option.does) else option


def expire(title: str, question: Question | None) -> Told:
    """What the journal keeps of a question that nobody answered in time."""
    stands = question.on_silence if question is not None else None
    led = (
        {name: stands[to] for name, to in (("option", "label"), ("leads", "leads"), ("gives", "gives"))}
        if stands
        else {}
    )
    return Kind.EXPIRED, {"title": title, **led}


BY_HAND = (Option("Done", types="note"), Option("Cannot be done", leads=OptionEffect.FAIL, types="note"))
"""The answers to an instruction. Both with a few words, which the journal keeps with who said them."""


def instruct(
    procedure: Procedure, title: str, instruction: str, scope: Mapping[str, Any], facts: Iterable[str]
) -> Told:
    """What the journal keeps of an instruction: it waits for a person, for as long as they take."""
    return Kind.ASKED, {
        "title": title,
        "options": [{**facts_of.to_json(option), "gives": ""} for option in BY_HAND],
        "plan": facts_of.plan_hash(procedure.name, scope["request"], {name: scope[name] for name in facts}),
        "sheets": [facts_of.to_json(Sheet("To be done by hand", notes=tuple(instruction.splitlines())))],
        "hand": True,
    }


def void_words(data: Mapping[str, Any]) -> str:
    """Why an answer is void, from the entry that says so."""
    changed = ", ".join(data.get("changed") or ())
    return f"The answer is void: {data.get('why') or f'the facts changed since ({changed})'}."


def _settled(ask: Ask) -> Told:
    """Nobody is asked: the first option stands, as the answer of nobody."""
    answer = facts_of.to_json(Answer(ask.options[0].label, by=""))
    return Kind.DONE, {
        "title": ask.title,
        "seconds": 0.0,
        "gives": ask.gives,
        "fact": answer,
        "said": "nothing to choose",
    }
