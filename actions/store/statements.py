"""What the store says to its database, each statement built once.

Building a statement takes SQLAlchemy longer than SQLite takes to carry it out.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from actions.engine.claims import ALL, Mode
from actions.store.journal_heads import JournalKind
from actions.store.tables import archived, claims, due_times, entries, journals, leases, notes

_of_run = entries.c.run == sa.bindparam("run")
_of_kind = notes.c.kind == sa.bindparam("of")
_of_lease = leases.c.run == sa.bindparam("lease")

# Journals ----------------------------------------------------------------------------------------

READ = sa.select(entries).where(_of_run, entries.c.n > sa.bindparam("after")).order_by(entries.c.n)
READ_SEVERAL = (
    sa.select(entries)
    .where(entries.c.run.in_(sa.bindparam("names", expanding=True)))
    .order_by(entries.c.run, entries.c.n)
)
TIP = sa.select(entries.c.n, entries.c.hash).where(_of_run).order_by(entries.c.n.desc()).limit(1)
WRITE = sa.insert(entries)
WRITTEN = sa.select(entries.c.run).distinct()

# Archived journals -------------------------------------------------------------------------------

_of_archived = archived.c.run == sa.bindparam("run")
ARCHIVED = sa.select(archived.c.data).where(_of_archived, archived.c.n > sa.bindparam("after"))
ARCHIVED_TIP = sa.select(archived.c.n, archived.c.hash).where(_of_archived)
ARCHIVED_NAMES = sa.select(archived.c.run)
ARCHIVE = sa.insert(archived)
EMPTY = (sa.delete(archived).where(_of_archived), sa.delete(entries).where(_of_run))
"""What is archived again as a whole, after it grew, has both."""
_closed_before = journals.c.closed_at < sa.bindparam("before")
ARCHIVABLE = (
    sa.select(journals.c.id)
    .select_from(journals.outerjoin(archived, archived.c.run == journals.c.id))
    .where(_closed_before, sa.or_(archived.c.n.is_(None), archived.c.n < journals.c.n))
    .order_by(journals.c.closed_at)
    .limit(sa.bindparam("most"))
)
STILL_CLOSED = sa.select(journals.c.id).where(_closed_before, journals.c.id.in_(sa.bindparam("names", expanding=True)))

# Heads of journals -------------------------------------------------------------------------------

_next_change = sa.select(sa.func.coalesce(sa.func.max(journals.c.change), 0) + 1).scalar_subquery()
_named = journals.c.id == sa.bindparam("name")
_head = [column for column in journals.c if column.name not in ("began", "change")]

BEGIN_JOURNAL = sa.insert(journals).values(began=_next_change, change=_next_change)
_moved = {
    "n": sa.bindparam("last"),
    "hash": sa.bindparam("own"),
    "at": sa.bindparam("now"),
    "change": _next_change,
}
_move = sa.update(journals).where(_named)
MOVE = {
    None: _move.values(**_moved),
    True: _move.values(**_moved, closed_at=sa.bindparam("now")),
    False: _move.values(**_moved, closed_at=None),
}
"""Moves a head to an entry that leaves its journal as it is (None), closes it (True), or opens it again (False)."""
HEAD = sa.select(*_head).where(_named)
CHANGE = sa.select(sa.func.coalesce(sa.func.max(journals.c.change), 0))
GROWN = (
    sa.select(journals.c.id, journals.c.n, journals.c.change, journals.c.began)
    .where(journals.c.change > sa.bindparam("since"))
    .order_by(journals.c.change)
)
TIPS = sa.select(journals.c.id, journals.c.n)
TIPS_OF = TIPS.where(journals.c.id.in_(sa.bindparam("names", expanding=True)))


@cache
def newest(open_only: bool, *kinds: JournalKind) -> sa.Select[str]:
    """Journals of these kinds, newest first, as many as `most`: each kind by an index of its own order."""
    parts = []
    for kind in kinds:
        found = sa.select(journals.c.id, journals.c.opened_at, journals.c.began).where(journals.c.kind == str(kind))
        found = found.where(journals.c.closed_at.is_(None)) if open_only else found
        first = found.order_by(journals.c.opened_at.desc()).limit(sa.bindparam("most")).subquery()
        parts.append(sa.select(first))
    every = sa.union_all(*parts).subquery()
    order = every.c.opened_at.desc(), every.c.began.desc()
    return sa.select(every.c.id).order_by(*order).limit(sa.bindparam("most"))


_read_to = sa.cast(sa.cast(notes.c.data, sa.Text), sa.Integer)
_cursor = sa.and_(_of_kind, notes.c.key == sa.bindparam("sink") + " " + journals.c.id)
UNREAD = (
    TIPS.select_from(journals.outerjoin(notes, _cursor))
    .where(sa.or_(notes.c.key.is_(None), _read_to < journals.c.n))
    .order_by(journals.c.id)
)
"""Journals that a sink has not read to their end, by its cursors."""

# Claims, and leases. In an update the names of the columns are taken: they would be what is set. ----

CLAIM = sa.insert(claims)
CLAIMS = sa.select(claims).where(claims.c.site == sa.bindparam("place")).order_by(claims.c.service, claims.c.run)
ALL_CLAIMS = sa.select(claims).order_by(claims.c.site, claims.c.service, claims.c.run)
HOLDERS = (
    sa.select(claims.c.site, claims.c.run)
    .where(claims.c.service.in_([sa.bindparam("of"), ALL]), claims.c.mode == str(Mode.EXCLUSIVE))
    .order_by(claims.c.site)
)
TOKEN = sa.select(leases.c.token).where(_of_lease)
LOCK_LEASE = TOKEN.with_for_update()
"""Waits for whoever writes to that lease. SQLite, which lets one write at a time, leaves the lock out."""
_alive = leases.c.beat.between(sa.bindparam("since"), sa.bindparam("until"))
LEASED = sa.select(leases.c.run).where(leases.c.owner != "", _alive)
BEATS = sa.select(leases.c.owner, sa.func.max(leases.c.beat, type_=leases.c.beat.type)).where(leases.c.owner != "")
BEATS = BEATS.group_by(leases.c.owner)
OVER = sa.select(journals.c.id).where(journals.c.id == sa.bindparam("lease"), journals.c.closed_at.is_not(None))
ACQUIRE = (
    sa.update(leases)
    .where(_of_lease, sa.or_(leases.c.owner == "", sa.not_(_alive)))
    .values(owner=sa.bindparam("me"), token=leases.c.token + 1, beat=sa.bindparam("now"))
)
_held = (_of_lease, leases.c.token == sa.bindparam("fence"))
BEAT = sa.update(leases).where(*_held, leases.c.owner == sa.bindparam("me")).values(beat=sa.bindparam("now"))
RELEASE = sa.update(leases).where(*_held).values(owner="")
LET_GO = (sa.delete(claims).where(claims.c.run == sa.bindparam("lease")), sa.delete(leases).where(_of_lease))

# Due times of schedules ---------------------------------------------------------------------------

_of_schedule = due_times.c.schedule == sa.bindparam("of")
TAKEN_BY = sa.select(due_times.c.run).where(_of_schedule, due_times.c.due == sa.bindparam("at"))
LAST_TAKEN = (
    sa.select(due_times.c.due, due_times.c.run)
    .where(_of_schedule, due_times.c.due <= sa.bindparam("until"))
    .order_by(due_times.c.due.desc())
    .limit(1)
)
LAST_RUN = (
    sa.select(due_times.c.run)
    .where(_of_schedule, due_times.c.run != "")
    .order_by(due_times.c.taken.desc(), due_times.c.due.desc())
    .limit(1)
)
TAKEN_SINCE = (
    sa.select(due_times).where(due_times.c.taken >= sa.bindparam("since")).order_by(due_times.c.taken, due_times.c.due)
)

# Notes -------------------------------------------------------------------------------------------

KEPT = sa.select(notes.c.data).where(_of_kind, notes.c.key == sa.bindparam("name"))
ALL_KEPT = sa.select(notes).where(_of_kind).order_by(notes.c.key)
KEPT_SINCE = ALL_KEPT.where(notes.c.at >= sa.bindparam("since"))
DROP = sa.delete(notes).where(_of_kind, notes.c.key == sa.bindparam("name"))
FORGET = sa.delete(notes).where(_of_kind, notes.c.at < sa.bindparam("before"))


def _insert(dialect: str, table: sa.Table) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def replacing(dialect: str) -> Any:
    """Keep a note in place of the one before."""
    wanted = _insert(dialect, notes)
    replaced = {"data": wanted.excluded.data, "at": wanted.excluded.at}
    return wanted.on_conflict_do_update(index_elements=["kind", "key"], set_=replaced)


@cache
def ignoring(dialect: str, table: sa.Table) -> Any:
    """Insert a row unless there is one of its key; the count of rows tells which."""
    # Without the option an INSERT's count of rows is not kept on PostgreSQL.
    return _insert(dialect, table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
