"""What of a run people have to see, entry by entry; each alone must be enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.engine.journal import Entry, Kind
from actions.engine.needs_people import is_unseen, needs_people
from actions.engine.procedure import FactRole, Look, Outcome
from actions.engine.shown import Shown
from tests.support.bot_world import VERIFY
from tests.support.worlds.clock import MORNING

ILL = {"healthy": False}


def look() -> dict[str, Any]:
    return ILL


CHECK = replace(VERIFY, steps=(Look("look", look, "before"), Look("check", look, "checked", role=FactRole.VERDICT)))


def entry(kind: Kind, **data: Any) -> Entry:
    return Entry("r1", 2, MORNING, kind, 0, data)


@pytest.mark.parametrize(
    ("told", "needed"),
    [
        (entry(Kind.FAILED, error="The disk is full."), True),
        (entry(Kind.UNDO_FAILED, error="The disk is full."), True),
        (entry(Kind.STOPPED), True),
        (entry(Kind.ASKED), True),
        (entry(Kind.BEGAN), False),
        (entry(Kind.RETRIED), False),
        (entry(Kind.DONE, gives="checked", fact={"healthy": True}), False),
        (entry(Kind.DONE, gives="checked", fact=ILL), True),
        (entry(Kind.DONE, gives="checked", fact="Needs attention"), False),
        (entry(Kind.DONE, gives="before", fact=ILL), False),
        (entry(Kind.DONE, fact=ILL), False),
        (entry(Kind.DONE, missed=["auth"]), True),
        (entry(Kind.DONE, missed=[]), False),
        (entry(Kind.FINISHED, outcome=Outcome.DONE), False),
        (entry(Kind.FINISHED, outcome=Outcome.RECOVERED), False),
        (entry(Kind.FINISHED, outcome=Outcome.UNDONE), True),
        (entry(Kind.FINISHED, outcome=Outcome.REFUSED), True),
        (entry(Kind.FINISHED, outcome=Outcome.DONE, error="It ended late."), True),
        (entry(Kind.FINISHED, outcome=Outcome.DONE, report=[{"alerts": ["Look at the archive."]}]), True),
        (entry(Kind.FINISHED, outcome=Outcome.DONE, report=[{"alerts": []}, {}]), False),
    ],
    ids=lambda value: f"{value.kind} {value.data}" if isinstance(value, Entry) else str(value),
)
def test_each_alone_is_enough_and_nothing_else_is(told: Entry, needed: bool) -> None:
    assert needs_people([told], CHECK) == needed
    asked = entry(Kind.REQUESTED, shown=Shown.ON_TROUBLE)
    assert is_unseen([asked, told], CHECK) == (not needed)
    for shown in (Shown.LINE, Shown.THREAD):
        assert not is_unseen([entry(Kind.REQUESTED, shown=shown), told], CHECK)
