"""Looking at replication: what a server says of those who follow it, or of whom it follows."""

from __future__ import annotations

from datetime import timedelta

from actions.clock.times import span_words
from actions.engine.errors import Away, RecoveryError
from actions.engine.sheets import Sheet
from actions.postgres.lsn import format_lsn
from actions.postgres.replication import (
    REPLICATION_SQL,
    Replication,
    SlotUse,
    StreamingStandby,
    Upstream,
    read_replication,
)
from actions.postgres.server import Server
from actions.steps.postgres.ask_live import in_short
from actions.tools.sql import Sql
from actions.wording import exact_size

_SECONDS = 15.0
_MAINTENANCE = "postgres"


def look_at_replication(server: Server, sql: Sql) -> Replication:
    """Ask the server how its replication stands; one that is down or does not let Mayday in is said to be silent."""
    if server.state != "running":
        return Replication(silent=f"its container is {server.state}")
    try:
        # Not in the database that people mean: it may be the one that was dropped.
        found = sql.values(server.service, server, [REPLICATION_SQL], seconds=_SECONDS, database=_MAINTENANCE)
        return read_replication(found[0].must())
    except Away:
        raise
    except RecoveryError as silent:
        return Replication(silent=silent.detail or silent.message)


def replication_sheets(replication: Replication, server: Server) -> tuple[Sheet, ...]:
    """How it stands: the word for it first, then each standby and each slot."""
    if replication.silent:
        why = in_short(replication.silent)
        alert = f"{server.service} did not answer ({why}), so how its replication stands is not known."
        return (Sheet("Replication", alerts=(alert,)),)
    alerts = [*replication.troubles()]
    if not replication.sees_all:
        grant = f"GRANT pg_monitor TO {server.user}"
        alerts.append(f"{server.user} may not look at other sessions, so standbys cannot be seen well: {grant}.")
    rows = [("State", str(replication.state)), *_own(replication)]
    rows += [(_name(one), _standby(one)) for one in replication.standbys]
    rows += [(f"Slot {slot.name}", slot_words(slot)) for slot in replication.slots]
    return (Sheet("Replication", tuple(rows), alerts=tuple(alerts)),)


def _own(one: Replication) -> list[tuple[str, str]]:
    at = format_lsn(one.at) if one.at is not None else "an unknown position"
    does = "has replayed up to" if one.standby else "has written up to"
    rows = [("Role", f"{'standby' if one.standby else 'primary'}, timeline {one.timeline}"), ("WAL", f"{does} {at}")]
    if one.upstream is not None:
        rows.append(("Receives from", _upstream(one.upstream)))
    if one.standby and one.replayed_ago is not None:
        rows.append(("Newest commit replayed", f"{span_words(timedelta(seconds=one.replayed_ago))} ago"))
    if one.delay:
        rows.append(("Replays later by", f"{span_words(timedelta(seconds=one.delay))} (recovery_min_apply_delay)"))
    return rows


def _name(one: StreamingStandby) -> str:
    return f"{one.name or 'a standby'}{f' at {one.at}' if one.at else ''}"


def _standby(one: StreamingStandby) -> str:
    said = [one.state, {"async": "asynchronous", "sync": "synchronous"}.get(one.sync, one.sync)]
    said.append("how far behind is not known" if one.behind is None else f"{exact_size(one.behind)} behind")
    if one.lag is not None:
        said.append(f"replays {one.lag:.1f} s later")
    said.append(f"slot {one.slot}" if one.slot else "without a slot: WAL it still needs may be removed")
    return ", ".join(part for part in said if part)


def _upstream(one: Upstream) -> str:
    said = [one.at or "an unknown address", one.status]
    if one.behind is not None:
        said.append(f"{exact_size(one.behind)} not replayed")
    if one.heard is not None:
        said.append(f"last heard {one.heard:.0f} s ago")
    return ", ".join([*said, *([f"slot {one.slot}"] if one.slot else [])])


def slot_words(slot: SlotUse) -> str:
    """What a slot holds back, and whether anybody reads it."""
    if slot.lost:
        return "lost: WAL that its reader needs is gone"
    said = ["physical" if slot.physical else "logical", "read now" if slot.active else "nobody reads it"]
    said.append("keeps no WAL yet" if slot.kept is None else f"keeps {exact_size(slot.kept)} of WAL")
    if slot.room is not None:
        said.append(f"is lost after {exact_size(max(0, slot.room))} more")
    return ", ".join(said)
