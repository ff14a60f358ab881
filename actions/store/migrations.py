"""Brings a store of an older version up to date, in one transaction, before anybody works with it.

What is there already is left as it is, so that it may be done at every start, and by two processes at once: the second
waits for the first and finds nothing to do. A head that is behind its entries is made anew from them. One that is ahead
of them is left: it is evidence that entries were deleted, which `mayday journal verify` tells.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from actions.engine.claims import Claim, Mode
from actions.engine.journal import Kind
from actions.store.database import StoreDatabase, one_at_a_time, take_your_time
from actions.store.journal_heads import closing, kind_of, place_in
from actions.store.tables import archived, claims, entries, journals, leases

_tips = sa.select(entries.c.run, sa.func.max(entries.c.n).label("n")).group_by(entries.c.run).subquery()
_behind = (
    sa.select(_tips.c.run, _tips.c.n, journals.c.began)
    .select_from(_tips.outerjoin(journals, journals.c.id == _tips.c.run))
    .where(sa.or_(journals.c.id.is_(None), journals.c.n < _tips.c.n))
    .cte("behind")
)
# Times and data as the text that they are: a journal that cannot be read keeps no store from being opened.
_TEXTS = (
    entries.c.run,
    entries.c.n,
    sa.type_coerce(entries.c.at, sa.String).label("at"),
    entries.c.kind,
    sa.cast(entries.c.data, sa.Text).label("data"),
)
_of_those = sa.select(*_TEXTS).join(_behind, _behind.c.run == entries.c.run).order_by(entries.c.run, entries.c.n)
_FIRST = _of_those.where(entries.c.n == 1)
_TURNS = _of_those.where(entries.c.kind.in_([str(Kind.FINISHED), str(Kind.CLOSED), str(Kind.ALERTED)]))
_LAST = (
    sa.select(entries.c.run, entries.c.n, sa.type_coerce(entries.c.at, sa.String).label("at"), entries.c.hash)
    .add_columns(_behind.c.began)
    .join(_behind, sa.and_(_behind.c.run == entries.c.run, _behind.c.n == entries.c.n))
    .order_by(entries.c.at, entries.c.run)
)
_COUNTS = sa.select(
    sa.select(sa.func.count()).select_from(entries).scalar_subquery(),
    sa.select(sa.func.coalesce(sa.func.sum(archived.c.n), 0)).scalar_subquery(),
    sa.select(sa.func.coalesce(sa.func.sum(journals.c.n), 0)).scalar_subquery(),
)
_DROP = sa.delete(journals).where(journals.c.id == sa.bindparam("name"))
_old_leases = sa.Table(
    "leases",
    sa.MetaData(),
    sa.Column("key", sa.String),
    *(sa.Column(name, sa.String) for name in ("run", "owner", "beat")),
    sa.Column("token", sa.Integer),
)
_raw_leases = sa.table("run_leases", *(sa.column(column.name) for column in leases.c))
_raw = sa.table("journals", *(sa.column(column.name) for column in journals.c))


def bring_up_to_date(database: StoreDatabase) -> None:
    """Make whatever an older version did not keep."""
    seen = sa.inspect(database.engine)
    of_before = seen.has_table(_old_leases.name)
    of_no_children = not any(column["name"] == "lenders" for column in seen.get_columns(claims.name))
    if not of_before and not of_no_children and not _is_behind(database):
        return
    with database.transaction() as db:
        one_at_a_time(db)
        take_your_time(db)
        if of_no_children:
            _add_lenders(db)
        _make_heads(db)
        if of_before and sa.inspect(db).has_table(_old_leases.name):
            _part_claims_from_leases(db)


def _is_behind(database: StoreDatabase) -> bool:
    with database.engine.connect() as db:
        written, packed, known = db.execute(_COUNTS).one()
    return int(written) + int(packed) > int(known)


def _make_heads(db: sa.Connection) -> None:
    """The heads that are missing or behind, in the order in which their journals grew last."""
    first, closed = _firsts(db), _closed(db)
    change = int(db.execute(sa.select(sa.func.coalesce(sa.func.max(journals.c.change), 0))).scalar() or 0)
    rows: list[dict[str, Any]] = []
    outdated: list[dict[str, Any]] = []
    for name, n, at, own, began in db.execute(_LAST):
        change += 1
        if began is not None:
            outdated.append({"name": name})
        head = {"id": name, "n": n, "hash": own, "at": at, "closed_at": closed.get(name), "change": change}
        # One whose first entry is gone is a head too: whoever looks for what is broken finds it.
        rows.append({**first.get(name, _unknown(at)), **head, "began": change if began is None else began})
    if outdated:
        db.execute(_DROP, outdated)
    if rows:
        db.execute(sa.insert(_raw), rows)


def _firsts(db: sa.Connection) -> dict[str, dict[str, str]]:
    found = {}
    for name, _n, at, kind, data in db.execute(_FIRST):
        site, service = place_in(_read(data))
        found[str(name)] = {"kind": str(kind_of(name, kind)), "site": site, "service": service, "opened_at": at}
    return found


def _closed(db: sa.Connection) -> dict[str, str | None]:
    """When each journal was closed, of those that were."""
    found: dict[str, str | None] = defaultdict(lambda: None)
    for name, _n, at, kind, data in db.execute(_TURNS):
        found[str(name)] = at if closing(kind, _read(data)) else None
    return found


def _unknown(at: str) -> dict[str, str]:
    return {"kind": "other", "site": "", "service": "", "opened_at": at}


def _part_claims_from_leases(db: sa.Connection) -> None:
    """A lease was a service's, and held by a run until that had ended: that was its claim.

    Whoever carries a run out goes on being its owner until they have been silent for a lease's life.
    """
    is_open = sa.select(journals.c.id, journals.c.site).where(journals.c.closed_at.is_(None))
    site_of = {str(run): str(site) for run, site in db.execute(is_open)}
    # The highest token last: of two of one run that is the one that counts.
    held = sa.select(_old_leases).where(_old_leases.c.run != "").order_by(_old_leases.c.token)
    found = db.execute(held).mappings().all()
    for run, old in {str(old["run"]): old for old in found}.items():
        row = {"run": run, "owner": old["owner"], "token": old["token"], "beat": old["beat"]}
        db.execute(sa.insert(_raw_leases), row)
    for run, key in {(str(old["run"]), str(old["key"])) for old in found}:
        # The others were named after the run, or after whose turn it is.
        if key not in (run, f"run {run}"):
            claim = Claim(site_of.get(run, ""), key, run, Mode.EXCLUSIVE)
            db.execute(sa.insert(claims), {**asdict(claim), "lenders": ""})
    _old_leases.drop(db)


def _add_lenders(db: sa.Connection) -> None:
    """What is claimed in a store of before is lent by nobody: no run had children."""
    if any(column["name"] == "lenders" for column in sa.inspect(db).get_columns(claims.name)):
        return  # Whoever came first has done it.
    db.exec_driver_sql("ALTER TABLE claims ADD COLUMN lenders TEXT NOT NULL DEFAULT ''")


def _read(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
