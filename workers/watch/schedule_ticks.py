"""The chore that opens what the settings' schedules ask for. Every worker does it: none leads, and none is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from actions.chores.chores import Chore
from actions.chores.schedules import Schedule, Ticker
from actions.engine.procedure import Procedure
from actions.engine.reading import Asker
from actions.settings.schedules import ScheduleTable
from actions.settings.settings import Settings
from actions.stack.choose import chosen
from actions.store.store import Store

_EVERY = 5.0


def schedule_chore(
    settings: Settings, store: Store, find: Callable[[str], Procedure], enqueue: Callable[[str], object]
) -> Chore:
    """Looks every few seconds for what is due."""
    made = list[Ticker]()

    def tick() -> None:
        # Made at the first turn: what the settings name wrongly is told as any trouble of a chore is.
        if not made:
            made.append(Ticker(store, schedules_of(settings, find), enqueue))
        made[0].tick()

    return Chore("schedules", _EVERY, tick, store)


def schedules_of(settings: Settings, find: Callable[[str], Procedure]) -> list[Schedule]:
    """The schedules that the settings name.

    Raises:
        RecoveryError: one names a procedure or a service that is not known.
    """
    return [schedule_of(table, settings, find) for table in settings.schedules]


def schedule_of(table: ScheduleTable, settings: Settings, find: Callable[[str], Procedure]) -> Schedule:
    """One schedule.

    Raises:
        RecoveryError: its procedure or its service is not known.
    """
    procedure, zone = find(table.procedure), settings.operations_zone
    subject = chosen(settings.stack(), procedure.about, table.service, table.site)

    def request(now: datetime) -> Any:
        return procedure.words.read(table.arguments, Asker(now, zone, None, subject.name))

    beside = settings.shared_writers(subject.service, subject.site)
    return Schedule(table.name, table.when(zone), procedure, request, subject, table.missed, table.grace, beside)
