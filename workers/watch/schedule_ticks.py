"""The chore that opens what the settings' schedules ask for. Every worker does it: none leads, and none is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from actions.catalog import CATALOG
from actions.chores.chores import Chore
from actions.chores.schedules import Schedule, Ticker
from actions.engine.errors import RecoveryError
from actions.engine.procedure import Procedure
from actions.settings.schedules import ScheduleTable
from actions.settings.settings import Settings
from actions.stack.choose import chosen
from actions.stack.clusters import asker_about
from actions.store.store import Store

_EVERY = 5.0


def schedule_chore(
    settings: Settings, store: Store, find: Callable[[str], Procedure], enqueue: Callable[[str], object]
) -> Chore:
    """Looks every few seconds for what is due. A schedule that is wrong keeps none of the others from it."""
    right, wrong = schedules_of(settings, find)
    ticker = Ticker(store, right, enqueue)

    def tick() -> None:
        ticker.tick()
        # Told as any trouble of a chore is, until the settings are mended.
        if wrong:
            raise wrong[0]

    return Chore("schedules", _EVERY, tick, store)


def schedules_of(settings: Settings, find: Callable[[str], Procedure]) -> tuple[list[Schedule], list[RecoveryError]]:
    """The schedules that the settings name, and what is wrong with those that cannot be read."""
    right, wrong = list[Schedule](), list[RecoveryError]()
    for table in settings.schedules:
        try:
            right.append(schedule_of(table, settings, find))
        except RecoveryError as trouble:
            wrong.append(trouble)
    return right, wrong


def schedule_of(table: ScheduleTable, settings: Settings, find: Callable[[str], Procedure]) -> Schedule:
    """One schedule.

    Raises:
        RecoveryError: its procedure or its service is not known.
    """
    zone = settings.operations_zone
    try:
        procedure = find(table.procedure)
    except RecoveryError as trouble:
        names = ", ".join(one.name for one in CATALOG if not one.private)
        trouble.hint = f"Write one of these as its procedure: {names}."
        raise _named(table, trouble) from trouble
    try:
        stack = settings.stack()
        subject = chosen(stack, procedure.about, table.service, table.site, standby=procedure.standby)
    except RecoveryError as trouble:
        raise _named(table, trouble) from trouble

    def request(now: datetime) -> Any:
        return procedure.words.read(table.arguments, asker_about(stack, subject, now, zone, None))

    beside = settings.shared_writers(subject.service, subject.site)
    return Schedule(table.name, table.when(zone), procedure, request, subject, table.missed, table.grace, beside)


def must_be_askable(table: ScheduleTable, settings: Settings, find: Callable[[str], Procedure], now: datetime) -> None:
    """See that what a schedule asks for could be asked for now.

    Raises:
        RecoveryError: its procedure or service is not known, or its arguments cannot be read.
    """
    schedule = schedule_of(table, settings, find)
    try:
        schedule.request(now)
    except RecoveryError as trouble:
        raise _named(table, trouble) from trouble


def _named(table: ScheduleTable, trouble: RecoveryError) -> RecoveryError:
    return RecoveryError(
        f"The schedule '{table.name}' asks for nothing that there is: {trouble.message}",
        code="MD-RUN-046",
        detail=trouble.detail,
        hint=f"{trouble.hint} It stands in the settings, under [[schedules]].",
    )
