"""The rows around the moment that a recovery goes back to, from its clone and from the live data, for one person.

What they say is people's own and stands in no journal: there it is kept that somebody looked, and at how many rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actions.engine.errors import Away, RecoveryError
from actions.engine.procedure import Sheet
from actions.engine.reading import OfferedCommand
from actions.postgres.server import Server
from actions.postgres.shown_rows import (
    ShownRow,
    ShownTable,
    after_sql,
    key_sql,
    last_sql,
    ordering_key,
    rows_of,
    same_sql,
)
from actions.settings.site import SiteConfig
from actions.tools.docker import Container, Docker
from actions.tools.names import Names
from actions.tools.private_answer import PrivateAnswer
from actions.tools.sql import Sql
from actions.wording import counted

COMMAND = "recover postgres rows"
_SECONDS = 15.0


@dataclass(frozen=True)
class RowsShown:
    """How many rows were shown of each table, and of which nothing could be."""

    tables: tuple[tuple[str, int, int], ...] = ()
    trouble: tuple[str, ...] = ()


def offer_rows(server: Server, site: SiteConfig, names: Names) -> tuple[OfferedCommand, ...]:
    """The button of a preview, where the settings allow rows to be shown."""
    command = f"recover {server.service} rows {names.run} @ {site.name}"
    return (OfferedCommand("Show rows", command),) if site.preview else ()


def show_rows(
    run: str, server: Server, site: SiteConfig, docker: Docker, sql: Sql, private: PrivateAnswer
) -> RowsShown:
    """Give the rows to whoever asked; what cannot be shown is said there too."""
    clone = Names(run).clone
    container = docker.find(clone)
    if not site.preview:
        return _said(
            private,
            'The settings show no rows: name columns under [preview], for example show = ["nchat_messages.body"].',
        )
    if container is None or container.state != "running":
        return _said(private, f"Run {run} has no clone any more that could be asked.")
    if not _is_of(container, run, server):
        return _said(
            private, f"The clone of run {run} is of another server than {server.service}. Nothing was compared."
        )
    shown, trouble, lines = [], [], []
    for table in site.preview:
        try:
            before, after, told = _table(table, clone, server, sql)
        except Away:
            raise
        except RecoveryError as error:
            trouble.append(f"{table.name}: {error.said}")
            lines += [f"{table.name}: {error.said} {error.detail.splitlines()[0] if error.detail else ''}".rstrip()]
            continue
        shown.append((table.name, before, after))
        lines += told
    private.give(lines)
    return RowsShown(tuple(shown), tuple(trouble))


def _is_of(clone: Container, run: str, server: Server) -> bool:
    """Whether a clone is that server's: another server of the site may have tables of the same names."""
    own = f"{server.home.parent.rstrip('/')}/{Names(run).clone_leaf(server.home)}"
    return any(mount.source == own for mount in clone.mounts)


def _said(private: PrivateAnswer, why: str) -> RowsShown:
    private.give([why])
    return RowsShown(trouble=(why,))


def _table(table: ShownTable, clone: str, server: Server, sql: Sql) -> tuple[int, int, list[str]]:
    key = ordering_key(sql.rows(clone, server, key_sql(table), seconds=_SECONDS))
    if not key:
        raise RecoveryError(
            "its rows cannot be put in order: no such table is here, or its primary key is not one column that grows.",
            code="MD-PG-095",
            hint="Name columns of another table under [preview].",
        )
    last = rows_of(table, sql.rows(clone, server, last_sql(table, key), seconds=_SECONDS))[::-1]
    top = last[-1].key if last else None
    head = f"{table.name}, the last {counted(len(last), 'row')} that the clone has:" if last else ""
    lines = [head or f"{table.name}: the clone has no row."]
    try:
        now = _live(table, key, last, server, sql)
        after = rows_of(table, sql.rows(server.service, server, after_sql(table, key, top), seconds=_SECONDS))
    except Away:
        raise
    except RecoveryError as silent:
        lines += [f"  {row.says()}" for row in last]
        return len(last), 0, [*lines, f"  The live data could not be asked: {silent.said}"]
    lines += [f"  {row.says()}{_since(row, now)}" for row in last]
    lines.append(
        "and what the live data has after them, which a cut-over loses:"
        if after
        else "and nothing after them in the live data."
    )
    return len(last), len(after), [*lines, *(f"  {row.says()}" for row in after)]


def _live(table: ShownTable, key: str, last: Sequence[ShownRow], server: Server, sql: Sql) -> dict[str, ShownRow]:
    if not last:
        return {}
    asked = same_sql(table, key, [row.key for row in last])
    return {row.key: row for row in rows_of(table, sql.rows(server.service, server, asked, seconds=_SECONDS))}


def _since(row: ShownRow, now: dict[str, ShownRow]) -> str:
    """What became of a row of the clone since, in the live data."""
    found = now.get(row.key)
    if found is None:
        return " (gone from the live data: comes back)"
    if found == row:
        return " (the same as far as it is shown)" if row.is_cut else ""
    return f" (now {' · '.join(found.values)}: comes back as it was)"


def rows_sheets(rows: RowsShown) -> tuple[Sheet, ...]:
    """What stays on the record."""
    said = tuple((name, f"{before} before the target, {after} after it") for name, before, after in rows.tables)
    return (Sheet("Rows were shown to the person who asked", rows=said, notes=rows.trouble),)
