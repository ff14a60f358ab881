"""How the two readings of a bare time are told in the plan, and the button for the one that is not the plan."""

from __future__ import annotations

from actions.clock.target import Target, in_zone_words
from actions.clock.times import span_words, spell
from actions.clock.zones import zone_named
from actions.engine.procedure import Option, OptionEffect
from actions.steps.postgres.target import Aim

_SHORT = 24
"""A time as it was typed stands in a button; a longer one would not fit."""


def reading_rows(target: Target, asked: str, aim: Aim) -> tuple[tuple[str, str], ...]:
    """In which zone a bare time was read, and what became of the other reading; nothing where there was but one."""
    meant = aim.meant(target)
    other = target if aim.reading is not None else target.other
    if other is None:
        why = aim.not_read or target.not_read
        return (("Read as", f"{_said(meant, asked)}; {why}"),) if why else ()
    told = f"{_said(meant, asked)}; {_said(other, asked)}"
    if aim.not_read:
        return (("Read as", f"{told} cannot be meant: {aim.not_read}"),)
    return (
        (("Read as", f"{told} is {spell(other.at)}, {_earlier(meant, other)}: a button asks for it"),)
        if other.at
        else ()
    )


def rather(target: Target, asked: str, aim: Aim) -> tuple[Option, ...]:
    """The earlier reading as an answer, where both can be reached: this run is given up, and one for it begins."""
    other = target.other
    if other is None or other.at is None or aim.reading is not None or aim.not_read:
        return ()
    label = f"Rather {_said(other, asked)} ({_earlier(target, other)})"
    return (Option(label, leads=OptionEffect.AGAIN, text=spell(other.at)),)


def _said(target: Target, asked: str) -> str:
    at = target.at.astimezone(zone_named(target.zone)) if target.at else None
    clock = asked if len(asked) <= _SHORT or at is None else f"{at:%Y-%m-%d %H:%M:%S}"
    return in_zone_words(clock, target.zone)


def _earlier(meant: Target, other: Target) -> str:
    assert meant.at is not None
    assert other.at is not None
    return f"{span_words(meant.at - other.at)} earlier"
