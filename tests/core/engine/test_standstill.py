"""For how long writers stood still, from the entries of a journal: each second of a hold counts once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from actions.engine.journal import Entry, Kind
from actions.engine.procedure import OptionEffect
from actions.engine.roles import ActRole
from actions.engine.standstill import Standstill, standstill
from actions.recoveries.postgres_pitr import PROCEDURE
from tests.support.worlds.clock import MORNING

STOPS, GOES_ON = (
    next(i for i, step in enumerate(PROCEDURE.steps) if getattr(step, "role", None) is role)
    for role in (ActRole.STOPS_WRITERS, ActRole.RESUMES_WRITERS)
)
HOLD = {"silence": OptionEffect.ON}


def told(*lines: tuple[int, Kind, int | None, dict[str, Any]]) -> list[Entry]:
    """Entries, each so many seconds after the first one."""
    return [
        Entry("r1", n, MORNING + timedelta(seconds=at), kind, step, data)
        for n, (at, kind, step, data) in enumerate(lines, 1)
    ]


def test_a_hold_that_is_put_anew_after_a_failure_counts_no_second_twice() -> None:
    entries = told(
        (0, Kind.BEGAN, STOPS, {}),
        (10, Kind.ASKED, None, HOLD),
        (20, Kind.STOPPED, None, {}),
        (50, Kind.RETRIED, None, {}),
        (50, Kind.ASKED, None, HOLD),
        (80, Kind.EXPIRED, None, {}),
        (90, Kind.DONE, GOES_ON, {}),
    )
    assert standstill(PROCEDURE, entries) == Standstill(90.0, 40.0)


def test_writers_that_have_not_gone_on_still_stand_still() -> None:
    entries = told((0, Kind.BEGAN, STOPS, {}), (10, Kind.ASKED, None, HOLD), (25, Kind.NOTED, None, {}))
    assert standstill(PROCEDURE, entries) == Standstill(25.0, 15.0, open=True)
