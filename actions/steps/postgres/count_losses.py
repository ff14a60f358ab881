"""What would be lost: everything that was committed after the stopping point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.engine.facts import volatile
from actions.postgres.compare_sql import identifier
from actions.postgres.databases import DATABASES
from actions.postgres.live_server import Live
from actions.postgres.lost_rows import Losses, RowCounts, parse_losses
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_of
from actions.postgres.server import Server
from actions.postgres.stops import Stop
from actions.postgres.timelines import Chain, chain_to
from actions.settings.site import SiteConfig
from actions.steps.postgres.read_window import WindowInputs, survey
from actions.steps.postgres.relation_names import Relations, ask_names, name_of, remembered_names
from actions.steps.postgres.target import Aim
from actions.steps.postgres.write_rate import COUNTER, transactions_a_second
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import Sql

# A plan should stand within three seconds; what was not counted in time is said to be so.
_COUNT_SECONDS = 2.0
_READ_SECONDS = 5.0
_KEPT = "select id, created_at from {} where created_at <= {} order by created_at desc limit 1"
_LOST = "select id, created_at from {} where created_at > {} order by created_at limit 1"


@dataclass(frozen=True)
class LostRows:
    """Rows of one table that lost transactions wrote; named with its database where that is not the site's own."""

    table: str
    inserted: int
    updated: int
    deleted: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True)
class Lost:
    """What would be lost. It grows while people write, so it is shown and not part of the approval.

    `transactions` is how many a second write now, None where that is not known.
    """

    counted: bool = volatile(default=True)
    commits: int = volatile(default=0)
    first_at: datetime | None = volatile(default=None)
    last_at: datetime | None = volatile(default=None)
    tables: tuple[LostRows, ...] = volatile(default=())
    removed: int = volatile(default=0)
    last_kept: str = volatile(default="")
    first_lost: str = volatile(default="")
    rows: int = volatile(default=0)
    at: datetime | None = volatile(default=None)
    transactions: float | None = volatile(default=None)

    def says(self) -> str:
        """For example: 1,240 commits."""
        return f"{self.commits:,} commits" if self.counted else "not counted in time"


def count_losses(
    aim: Aim, server: Server, site: SiteConfig, live: Live, files: PostgresFiles, sql: Sql, now: datetime
) -> Lost:
    """Count commits and rows after the stopping point, in the WAL; and find the rows that people recognise."""
    losses = count_in_wal(aim, server, files, sql, now)
    found = _read(aim.stop, server, site, sql)
    told, kept, lost = found.get("databases"), _row(found.get("kept")), _row(found.get("lost"))
    first = {"xid": live.xid, "at": live.at} if live.xid else {}
    rate = transactions_a_second(first, found.get("counter") or {})
    if losses is None:
        return Lost(counted=False, last_kept=kept, first_lost=lost, transactions=rate)
    tables = _by_name(losses, told, server, files, sql, site.newest_table)
    return Lost(
        True,
        losses.commits,
        losses.first_at,
        losses.last_at,
        tables,
        len(losses.removed_files),
        kept,
        lost,
        rows_in(losses),
        now,
        rate,
    )


def rows_in(losses: Losses) -> int:
    """Rows of people's tables, whatever these are called."""
    return sum(row.inserted + row.updated + row.deleted for row in losses.rows if row.user_data)


def _by_name(
    losses: Losses, told: Any, server: Server, files: PostgresFiles, sql: Sql, newest: str
) -> tuple[LostRows, ...]:
    """The rows of each table of whatever database; a table that was rewritten meanwhile had several files.

    The table that people know best stands first (the setting `newest_table`), then those that lose most.
    """
    relations = Relations.of(losses.rows)
    names = ask_names(relations, told, server, sql, _READ_SECONDS) if told else {}
    unknown = [file for files_of in relations.by_database.values() for file in files_of if file not in names]
    names = {**names, **remembered_names(unknown, server, files)}
    found: dict[str, LostRows] = {}
    for row in losses.rows:
        if row.user_data and (table := name_of(row.relation, names, told, server.database)):
            was = found.get(table, LostRows(table, 0, 0, 0))
            found[table] = LostRows(
                table, was.inserted + row.inserted, was.updated + row.updated, was.deleted + row.deleted
            )
    return tuple(sorted(found.values(), key=lambda one: (not _is(one.table, newest), -one.rows, one.table)))


def _is(table: str, newest: str) -> bool:
    """Whether that is the table of the settings, which may leave out the schema."""
    return bool(newest) and (table == newest or table.rpartition(".")[2] == newest.rpartition(".")[2])


def count_in_wal(aim: Aim, server: Server, files: PostgresFiles, sql: Sql, now: datetime) -> Losses | None:
    """On the live timeline from the point where the two ways part, on to the newest record; None where time ran out."""
    return count_from(survey(server, files, sql, now), aim, server, files)


def count_from(around: WindowInputs, aim: Aim, server: Server, files: PostgresFiles) -> Losses | None:
    """The same, from folders that were read before."""
    live = chain_to(around.window.live_timeline, around.histories)
    place = parting(aim, live)
    first = segment_of(live.timeline, place.lsn, server.segment_size)[8:]
    names = sorted(n for n in around.names() if n[8:] >= first and live.span(int(n[:8], 16)) is not None)
    total = Losses()
    for span in live.spans:
        own = [n for n in names if int(n[:8], 16) == span.timeline]
        if own and (span.end is None or span.end > place.lsn):
            text = files.losses(server, span.timeline, own, place, seconds=_COUNT_SECONDS)
            if not text:
                return None
            total = _sum(total, parse_losses(text))
    return total


def parting(aim: Aim, live: Chain) -> Stop:
    """Where the way to the stopping point and that to what is live part."""
    span = live.span(aim.timeline)
    if span is not None and (span.end is None or aim.stop.lsn < span.end):
        return aim.stop
    ends = [s.end for s in live.spans if s.end is not None and s.timeline <= aim.timeline]
    return Stop(max(ends, default=Lsn(0)), inclusive=False)


def _sum(a: Losses, b: Losses) -> Losses:
    rows: dict[str, RowCounts] = {row.relation: row for row in a.rows}
    for row in b.rows:
        was = rows.get(row.relation, RowCounts(row.relation, 0, 0, 0))
        rows[row.relation] = RowCounts(
            row.relation, was.inserted + row.inserted, was.updated + row.updated, was.deleted + row.deleted
        )
    return Losses(
        a.commits + b.commits,
        a.first_at or b.first_at,
        b.last_at or a.last_at,
        tuple(rows.values()),
        (*a.removed_files, *b.removed_files),
    )


def _read(stop: Stop, server: Server, site: SiteConfig, sql: Sql) -> dict[str, Any]:
    """From the live server: its databases, the newest row that stays, the oldest that goes, its counter.

    Nothing of what it does not answer.
    """
    if server.state != "running":
        return {}
    # One session for all of it: to begin one costs more than to ask.
    queries = {"databases": DATABASES, **_marks(stop, site), "counter": COUNTER}
    answers = sql.values(server.service, server, [*queries.values()], seconds=_READ_SECONDS)
    return {name: answer.value for name, answer in zip(queries, answers, strict=True) if answer.value}


def _marks(stop: Stop, site: SiteConfig) -> dict[str, str]:
    """What finds the rows that people recognise, among those that are still there."""
    if not site.newest_table or stop.last_commit_at is None:
        return {}
    table = ".".join(identifier(part) for part in site.newest_table.split("."))
    at = f"'{stop.last_commit_at.isoformat()}'::timestamptz"
    asked = {"kept": _KEPT.format(table, at), "lost": _LOST.format(table, at)}
    return {name: f"select row_to_json(q) from ({query}) q" for name, query in asked.items()}


def _row(found: Mapping[str, Any] | None) -> str:
    return f"{found['id']} of {found['created_at']}" if found else ""
