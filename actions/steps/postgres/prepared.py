"""Prepared transactions that are open at the stopping point: named, and ended or left as people choose."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actions.clock.times import span_words, spell
from actions.engine.errors import RecoveryError
from actions.engine.facts import volatile
from actions.engine.procedure import Answer, Sheet
from actions.postgres.besides_sql import PREPARED
from actions.postgres.live_server import Live
from actions.postgres.lsn import format_lsn
from actions.postgres.quoting import literal
from actions.postgres.server import Server
from actions.postgres.twophase import Prepared, database_in, open_at, parse_state_file
from actions.settings.site import SiteConfig
from actions.steps.postgres import cutover
from actions.steps.postgres.find_tablespaces import Tablespaces
from actions.steps.postgres.restore import stretches
from actions.steps.postgres.target import Aim, Base
from actions.tools.docker import Docker
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.postgres_servers import PostgresServers
from actions.tools.progress import Progress
from actions.tools.sql import Sql
from actions.wording import counted, verb

LEAVE, COMMIT, ROLL_BACK = "Leave them open", "Commit them", "Roll them back"
_SECONDS = 120
# In recovery too a snapshot begins at the oldest transaction that is open, prepared ones among them; where none is, at
# the next number that will be given out, which age() counts from.
_STATE = (
    "select current_setting('max_prepared_transactions')::int as most, "
    "pg_snapshot_xmin(pg_current_snapshot())::text::numeric % 4294967296 "
    "<> (age('3'::xid)::bigint + 3 + 4294967296) % 4294967296 as running, "
    "(select json_object_agg(oid, datname) from pg_database) as names"
)


@dataclass(frozen=True)
class PreparedOpen:
    """Those that are open at the stop. `possible` says that the cluster could have some at all.

    `room` is the max_prepared_transactions of the live server's configuration, None where it is not known.
    """

    possible: bool
    all: tuple[Prepared, ...] = ()
    room: int | None = volatile(default=None)

    def says(self) -> str:
        """How many."""
        return f"{len(self.all)} open at the stop" if self.all else "none"


def find_prepared(aim: Aim, base: Base, server: Server, names: Names, files: PostgresFiles, sql: Sql) -> PreparedOpen:
    """From the clone's state files and its WAL, since a server in recovery lists none."""
    state = sql.rows(names.clone, server, _STATE, seconds=20)[0]
    if not state["most"] or not state["running"]:
        return PreparedOpen(bool(state["most"]))
    way = stretches(aim, base, server, files)
    at = format_lsn(aim.stop.lsn) if aim.stop.inclusive and aim.stop.end is None else ""
    known = [one for data in files.prepared_states(server, names) if (one := parse_state_file(data, server.version))]
    found = open_at(aim.stop, known, files.prepared_records(server, names, way, at))
    told = [_named(one, state["names"] or {}, server, names, files, way) for one in found]
    return PreparedOpen(True, tuple(told), files.configuration(server)[0].prepared if told else None)


def _named(
    one: Prepared,
    databases: dict[str, str],
    server: Server,
    names: Names,
    files: PostgresFiles,
    way: list[tuple[int, str, str]],
) -> Prepared:
    oid = one.database or database_in(files.first_relation(server, names, way, one.xid))
    return replace(one, database=databases.get(oid, oid))


def something_to_settle(prepared: PreparedOpen) -> bool:
    """Whether there is something to choose."""
    return bool(prepared.all)


def no_room(prepared: PreparedOpen) -> tuple[str, ...]:
    """A server does not start with more prepared transactions than it has room for."""
    return (LEAVE,) if prepared.room is not None and prepared.room < len(prepared.all) else ()


def settle(
    aim: Aim,
    prepared: PreparedOpen,
    settling: Answer,
    server: Server,
    tablespaces: Tablespaces,
    live: Live,
    site: SiteConfig,
    names: Names,
    docker: Docker,
    files: PostgresFiles,
    servers: PostgresServers,
    sql: Sql,
    polling: Polling,
    progress: Progress,
) -> None:
    """Commit them or roll them back on the promoted clone, while it is still alone."""
    if not prepared.possible:
        return
    try:
        there = _open_now(names.clone, server, sql)
    except RecoveryError:
        # A Docker that was restarted does not bring a clone back; promoting again finds it promoted.
        cutover.promote(aim, server, tablespaces, live, site, names, docker, files, servers, sql, polling, progress)
        there = _open_now(names.clone, server, sql)
    if {one.gid for one in there} - {one.gid for one in prepared.all}:
        raise _other_than_shown(there)
    if settling.option != LEAVE:
        word = "commit" if settling.option == COMMIT else "rollback"
        for one in there:
            sql.rows(
                names.clone, server, f"{word} prepared {literal(one.gid)}", seconds=_SECONDS, database=one.database
            )


def is_settled(prepared: PreparedOpen, settling: Answer, server: Server, names: Names, sql: Sql) -> bool:
    """Whether just those are open that should be."""
    if not prepared.possible:
        return True
    there = {one.gid for one in _open_now(names.clone, server, sql)}
    return there == ({one.gid for one in prepared.all} if settling.option == LEAVE else set())


def _open_now(container: str, server: Server, sql: Sql) -> list[Prepared]:
    found = sql.values(container, server, [PREPARED], seconds=20)[0].must() or []
    return [Prepared(row["gid"], int(row["xid"]), None, row["database"], row["owner"]) for row in found]


def _other_than_shown(there: list[Prepared]) -> RecoveryError:
    return RecoveryError(
        "The clone has other prepared transactions than were shown.",
        detail=", ".join(one.gid for one in there)[:300],
        hint="Undo, and ask again; the live data was not touched.",
    )


def prepared_sheets(prepared: PreparedOpen, aim: Aim) -> tuple[Sheet, ...]:
    """What people read before they choose."""
    rows = tuple((one.gid, describe(one, aim)) for one in prepared.all[:20])
    notes = [
        "Their outcome was decided after the stop, or never: whoever prepared them knows which is right.",
        "Left open they hold their locks, and keep VACUUM from removing rows, until somebody ends them.",
    ]
    if no_room(prepared):
        notes.append(f"They cannot be left: max_prepared_transactions is {prepared.room} on the live server.")
    number = len(prepared.all)
    title = f"{counted(number, 'prepared transaction')} {verb(number, 'are')} open at the stop"
    return (Sheet(title, rows, tuple(notes)),)


def describe(one: Prepared, aim: Aim) -> str:
    """Where and since when."""
    until = aim.stop.last_commit_at
    age = f", {span_words(until - one.at)} before the stop" if one.at and until and until > one.at else ""
    since = f"prepared {spell(one.at)}{age}" if one.at else "prepared before the backup"
    return f"database {one.database}, {since}" if one.database else since


def prepared_rows(prepared: PreparedOpen, settling: Answer, aim: Aim) -> tuple[tuple[str, str], ...]:
    """For the preview."""
    if not prepared.all:
        return ()
    named = "; ".join(f"{one.gid} ({describe(one, aim)})" for one in prepared.all[:10])
    more = f" and {len(prepared.all) - 10} more" if len(prepared.all) > 10 else ""
    return (("Prepared transactions", f"{named}{more}: {_fate(settling)}"),)


def _fate(settling: Answer) -> str:
    fates = {COMMIT: "will be committed", ROLL_BACK: "will be rolled back"}
    return f"{fates.get(settling.option, 'stay open, with their locks')}, as {settling.by or 'nobody'} chose"
