"""Replication slots after a recovery: physical ones are made again, logical ones are left to their readers by name."""

from __future__ import annotations

from actions.postgres.replication_slots import Slot, gap_of, make_sql, parse_wanted, wanted_sql, words_of
from actions.postgres.server import Server
from actions.steps.postgres.see_unwritten import NotInWal
from actions.steps.postgres.target import Aim
from actions.tools.sql import Sql

_SECONDS = 20


def make_slots(unwritten: NotInWal, server: Server, sql: Sql) -> None:
    """Make the physical slots again; what the server refuses is seen in what is left to do."""
    names = physical(unwritten.slots)
    if names:
        there, _ = _seen(names, server, sql)
        sql.values(server.service, server, [make_sql(name) for name in names if name not in there], seconds=_SECONDS)


def slots_are_made(unwritten: NotInWal, server: Server, sql: Sql) -> bool:
    """Whether each of them exists, or no more can be made."""
    names = physical(unwritten.slots)
    if not names:
        return True
    there, room = _seen(names, server, sql)
    return there >= set(names) or not room


def _seen(names: tuple[str, ...], server: Server, sql: Sql) -> tuple[set[str], bool]:
    return parse_wanted(sql.values(server.service, server, [wanted_sql(names)], seconds=_SECONDS)[0].must())


def physical(slots: tuple[Slot, ...]) -> tuple[str, ...]:
    """The names of those that can be made again."""
    return tuple(slot.name for slot in slots if slot.physical)


def slot_rows(slots: tuple[Slot, ...], aim: Aim) -> tuple[tuple[str, str], ...]:
    """For the plan and the preview."""
    rows = []
    if names := physical(slots):
        rows.append(("Physical slots", f"{', '.join(names)}: made again after the cut-over, keeping WAL from then on"))
    rows += [
        ("Logical slot", f"{words_of(slot)}: is lost; {gap_of(slot, aim.stop.lsn)}{_synced(slot)}")
        for slot in slots
        if not slot.physical
    ]
    return tuple(rows)


def slot_alerts(slots: tuple[Slot, ...]) -> tuple[str, ...]:
    """Logical slots need a person."""
    lost = [f"{slot.name}{f' of {slot.reader}' if slot.reader else ''}" for slot in slots if not slot.physical]
    what = "The logical slots are lost and cannot be continued; afterwards each has to be created anew, and its reader"
    return (f"{what} to be synchronised anew: {', '.join(lost)}.",) if lost else ()


def _synced(slot: Slot) -> str:
    return "; a copy that a standby keeps of it is of no use either" if slot.failover else ""


def left_of_slots(slots: tuple[Slot, ...], there: tuple[Slot, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was made again, and what is left to do."""
    now = {slot.name for slot in there}
    made = tuple(name for name in physical(slots) if name in now)
    left = [
        f"The physical slot {name} could not be made: raise max_replication_slots, then create it."
        for name in physical(slots)
        if name not in now
    ]
    left += [
        f"Create the logical slot {words_of(slot)} anew and synchronise its reader."
        for slot in slots
        if not slot.physical and slot.name not in now
    ]
    return made, tuple(left)
