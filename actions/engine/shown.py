"""How much of a run people see without asking for it; what is asked for lists every run, however it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from actions.engine.ids import is_errand
from actions.engine.journal import Entry

_PEOPLE = ("slack", "terminal")
"""The origins from which a person speaks, who wants to see what becomes of it."""


class Shown(StrEnum):
    """What stands in Slack of a run for which nobody has to do anything. One that needs people always has a thread."""

    THREAD = "thread"  # a header and a thread
    LINE = "line"  # one line, edited from the begin to how it ended
    ON_TROUBLE = "on trouble"  # nothing


ShownBy = Callable[[Mapping[str, Any]], Shown]
"""How a run is shown by where it came from."""


def by_origin(asked: Shown, unasked: Shown) -> ShownBy:
    """One way for what a person asked for, another for what began by itself, such as by a schedule."""

    def shown(origin: Mapping[str, Any]) -> Shown:
        return asked if origin.get("sink") in _PEOPLE else unasked

    return shown


def shown_of(first: Entry) -> Shown:
    """How a run is shown, by its first entry: decided when it was asked for, so that no other version shows it less.

    Before it was written there, errands were lines and all else threads; what is not known is shown in full.
    """
    told = first.data.get("shown") or (Shown.LINE if is_errand(first.run) else Shown.THREAD)
    return Shown(told) if told in tuple(Shown) else Shown.THREAD
