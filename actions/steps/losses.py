"""What would be lost: everything that was committed after the stopping point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.engine.facts import volatile
from actions.postgres.compare_sql import identifier
from actions.postgres.losses import Losses, RowCounts, parse_losses
from actions.postgres.lsn import Lsn
from actions.postgres.segments import segment_of
from actions.postgres.server import Server
from actions.postgres.stops import Stop
from actions.postgres.timelines import Chain, chain_to
from actions.steps.target import Aim
from actions.steps.window import Surroundings, survey
from actions.tools import Files, Site, Sql

# A plan should stand within three seconds; what was not counted in time is said to be so.
_COUNT_SECONDS = 2.0
_READ_SECONDS = 5.0
_NAMES = (
    "select json_object_agg(oid, pg_filenode_relation(0, oid)::regclass::text) from unnest(array[{}]::oid[]) as oid"
)
_KEPT = "select id, created_at from {} where created_at <= {} order by created_at desc limit 1"
_LOST = "select id, created_at from {} where created_at > {} order by created_at limit 1"


@dataclass(frozen=True)
class LostRows:
    """Rows of one table that lost transactions wrote."""

    table: str
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class Lost:
    """What would be lost. It grows while people write, so it is shown and not part of the approval."""

    counted: bool = volatile(default=True)
    commits: int = volatile(default=0)
    first_at: datetime | None = volatile(default=None)
    last_at: datetime | None = volatile(default=None)
    tables: tuple[LostRows, ...] = volatile(default=())
    removed: int = volatile(default=0)
    last_kept: str = volatile(default="")
    first_lost: str = volatile(default="")

    def says(self) -> str:
        """For example: 1,240 commits."""
        return f"{self.commits:,} commits" if self.counted else "not counted in time"


def count_losses(aim: Aim, server: Server, site: Site, files: Files, sql: Sql, now: datetime) -> Lost:
    """Count commits and rows after the stopping point, in the WAL; and find the rows that people recognise."""
    around = survey(server, files, sql, now)
    losses = _count(aim, server, around, files)
    names, kept, lost = _read(aim.stop, losses, server, site, sql)
    if losses is None:
        return Lost(counted=False, last_kept=kept, first_lost=lost)
    tables = tuple(LostRows(names.get(r.relfilenode, f"relation {r.relfilenode}"), r.inserted, r.updated, r.deleted)
                   for r in losses.rows if r.user_data)  # fmt: skip
    shown = tuple(t for t in tables if not t.table.startswith("pg_toast."))
    return Lost(True, losses.commits, losses.first_at, losses.last_at, shown, len(losses.removed_files), kept, lost)


def _count(aim: Aim, server: Server, around: Surroundings, files: Files) -> Losses | None:
    """On the live timeline from the point where the two ways part, on to the newest record."""
    live = chain_to(around.window.live_timeline, around.histories)
    place = _parting(aim, live)
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


def _parting(aim: Aim, live: Chain) -> Stop:
    span = live.span(aim.timeline)
    if span is not None and (span.end is None or aim.stop.lsn < span.end):
        return aim.stop
    ends = [s.end for s in live.spans if s.end is not None and s.timeline <= aim.timeline]
    return Stop(max(ends, default=Lsn(0)), inclusive=False)


def _sum(a: Losses, b: Losses) -> Losses:
    rows: dict[str, RowCounts] = {row.relation: row for row in a.rows}
    for row in b.rows:
        was = rows.get(row.relation, RowCounts(row.relation, 0, 0, 0))
        rows[row.relation] = RowCounts(row.relation, was.inserted + row.inserted, was.updated + row.updated,
                                       was.deleted + row.deleted)  # fmt: skip
    return Losses(a.commits + b.commits, a.first_at or b.first_at, b.last_at or a.last_at,
                  tuple(rows.values()), (*a.removed_files, *b.removed_files))  # fmt: skip


def _read(stop: Stop, losses: Losses | None, server: Server, site: Site,
          sql: Sql) -> tuple[dict[int, str], str, str]:  # fmt: skip
    """From the live server: the relations' names, the newest row that stays, the oldest that goes.

    Nothing of what it does not answer.
    """
    if server.state != "running":
        return {}, "", ""
    # One session for all of it: to begin one costs more than to ask.
    asked = {"names": _names(losses), **_marks(stop, site)}
    queries = {name: query for name, query in asked.items() if query}
    answers = sql.values(server.service, server, [*queries.values()], seconds=_READ_SECONDS)
    found = {name: answer.value for name, answer in zip(queries, answers, strict=True) if answer.value}
    names = {int(oid): str(name) for oid, name in found.get("names", {}).items() if name}
    return names, _row(found.get("kept")), _row(found.get("lost"))


def _names(losses: Losses | None) -> str:
    numbers = sorted({row.relfilenode for row in losses.rows if row.user_data}) if losses else []
    return _NAMES.format(",".join(map(str, numbers))) if numbers else ""


def _marks(stop: Stop, site: Site) -> dict[str, str]:
    """What finds the rows that people recognise, among those that are still there."""
    if not site.newest_table or stop.last_commit_at is None:
        return {}
    table = ".".join(identifier(part) for part in site.newest_table.split("."))
    at = f"'{stop.last_commit_at.isoformat()}'::timestamptz"
    asked = {"kept": _KEPT.format(table, at), "lost": _LOST.format(table, at)}
    return {name: f"select row_to_json(q) from ({query}) q" for name, query in asked.items()}


def _row(found: Mapping[str, Any] | None) -> str:
    return f"{found['id']} of {found['created_at']}" if found else ""
