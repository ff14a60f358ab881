"""What the store says to its database, each statement built once.

Building a statement takes SQLAlchemy longer than SQLite takes to carry it out.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from actions.engine.journal import Kind
from actions.engine.tables import entries, leases, notes

_of_run = entries.c.run == sa.bindparam("run")
_of_kind = notes.c.kind == sa.bindparam("of")
_of_lease = leases.c.key == sa.bindparam("lease")

# Journals ----------------------------------------------------------------------------------------

READ = sa.select(entries).where(_of_run, entries.c.n > sa.bindparam("after")).order_by(entries.c.n)
TIP = sa.select(entries.c.n, entries.c.hash).where(_of_run).order_by(entries.c.n.desc()).limit(1)
TIPS = sa.select(entries.c.run, sa.func.max(entries.c.n)).group_by(entries.c.run)
TIPS_OF = TIPS.where(entries.c.run.in_(sa.bindparam("runs", expanding=True)))
WRITE = sa.insert(entries)

_over = sa.select(entries.c.run).where(entries.c.kind == str(Kind.FINISHED))


def _begun(kind: Kind) -> sa.Select[str]:
    """Journals that began with an entry of that kind, newest first, as many as `most`."""
    of_kind = sa.select(entries.c.run).where(entries.c.kind == str(kind))
    return of_kind.order_by(entries.c.at.desc()).limit(sa.bindparam("most"))


RUNS = _begun(Kind.REQUESTED)
OPEN_RUNS = RUNS.where(entries.c.run.not_in(_over))
INCIDENTS = _begun(Kind.OPENED)

# Leases. In an update the names of the columns are taken: they would be what is set. ---------------

HOLDER = sa.select(leases.c.run).where(_of_lease)
TOKEN = sa.select(leases.c.token).where(_of_lease)
_alive = leases.c.beat.between(sa.bindparam("since"), sa.bindparam("until"))
LEASED = sa.select(leases.c.run).where(leases.c.owner != "", _alive)
CLAIM = sa.update(leases).where(_of_lease, leases.c.run == "").values(run=sa.bindparam("holder"), owner="")
FREE = sa.update(leases).where(_of_lease).values(run="", owner="")
ACQUIRE = (
    sa.update(leases)
    .where(_of_lease, leases.c.run == sa.bindparam("holder"))
    .where(sa.or_(leases.c.owner == "", sa.not_(_alive)))
    .values(owner=sa.bindparam("me"), token=leases.c.token + 1, beat=sa.bindparam("now"))
)
_held = (_of_lease, leases.c.token == sa.bindparam("fence"))
BEAT = sa.update(leases).where(*_held, leases.c.owner == sa.bindparam("me")).values(beat=sa.bindparam("now"))
RELEASE = sa.update(leases).where(*_held).values(owner="")

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
