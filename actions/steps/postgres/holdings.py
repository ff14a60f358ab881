"""What every database of a server holds, counted in pieces within a time, and compared with a backup's inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.inventory import Contents, Inventory, parse_contents, parse_inventory
from actions.postgres.inventory_sql import inventory_sql, rows_sql
from actions.postgres.judgement import JudgedLine, inventory_lines
from actions.postgres.locks import pieces
from actions.postgres.server import Server
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import QueryResult, Sql

_SECONDS = 600.0


@dataclass(frozen=True)
class Holdings:
    """The contents by database, the site's own first, and sentences on what could not be read."""

    databases: Mapping[str, Contents]
    missing: tuple[str, ...] = ()


def take_stock(server: Server, sql: Sql, polling: Polling, seconds: float = _SECONDS) -> Holdings:
    """Read what the live server holds; whatever cannot be read or counted is told, and nothing else suffers."""
    began = polling.seconds()
    answers = sql.everywhere(server.service, server, [inventory_sql()], seconds=seconds)
    told = {name: given[0].value for name, given in answers.items() if given[0].error is None and given[0].value}
    counts = _count(server, sql, told, max(5.0, seconds - (polling.seconds() - began)))
    found = {name: _contents(data, counts.get(name, {})) for name, data in told.items()}
    unread = [f"{name}: {_why(given[0])}" for name, given in answers.items() if name not in told]
    uncounted = [
        f"{name}: the rows of {contents.uncounted} of {len(contents.tables)} tables were not counted"
        for name, contents in found.items()
        if contents.uncounted
    ]
    own = {server.database: found[server.database]} if server.database in found else {}
    return Holdings({**own, **found}, (*unread, *uncounted))


def _why(answer: QueryResult) -> str:
    return f"{answer.error.message} {answer.error.detail}".strip() if answer.error else "nothing was answered"


def _count(server: Server, sql: Sql, told: Mapping[str, Any], seconds: float) -> dict[str, dict[str, Any]]:
    """By database and oid: rows and newest row. A piece that fails is asked again table by table."""
    asked = {name: [list(some) for some in pieces(_weights(data), int(data["most"]))] for name, data in told.items()}
    found: dict[str, dict[str, Any]] = {name: {} for name in told}
    for single in (False, True):
        todo = {name: parts for name, parts in asked.items() if parts}
        if not todo:
            break
        queries = {name: [rows_sql(oids) for oids in parts] for name, parts in todo.items()}
        answers = sql.everywhere(server.service, server, queries, seconds=seconds)
        asked = {}
        for name, parts in todo.items():
            for oids, answer in zip(parts, answers[name], strict=True):
                found[name].update(answer.value or {})
                if answer.error is not None and not single and len(oids) > 1:
                    asked.setdefault(name, []).extend([oid] for oid in oids)
    return found


def _weights(data: Mapping[str, Any]) -> list[tuple[int, int]]:
    return [(int(table["oid"]), int(table["locks"])) for table in data["tables"]]


def _contents(data: Mapping[str, Any], counts: Mapping[str, Any]) -> Contents:
    def counted(table: Mapping[str, Any]) -> dict[str, Any]:
        rows, newest, size = counts.get(str(table["oid"])) or (None, None, 0)
        return {**table, "rows": rows, "newest": newest, "bytes": size}

    return parse_contents({**data, "tables": [counted(table) for table in data["tables"]]})


def newest_inventory(server: Server, files: PostgresFiles) -> Inventory | None:
    """The inventory of the newest base backup that has a readable one."""
    readable = []
    for found in files.backups(server):
        try:
            readable += [parse_inventory(found.inventory)] if found.inventory else []
        except RecoveryError:
            continue  # Another backup's inventory is as good a witness.
    return max(readable, key=lambda inventory: inventory.stopped_at, default=None)


def against_inventory(server: Server, files: PostgresFiles, sql: Sql, polling: Polling) -> tuple[JudgedLine, ...]:
    """Lines on what the live server lacks of what it held at the newest base backup."""
    before = newest_inventory(server, files)
    if before is None:
        return ()
    now = take_stock(server, sql, polling)
    lines = [line for contents in before.every for line in _lines(contents, now, server.database)]
    told = tuple(
        JudgedLine("inventory", "unfinished", f"Not compared with the last inventory: {why}") for why in now.missing
    )
    return (*lines, *told)


def _lines(before: Contents, now: Holdings, own: str) -> Sequence[JudgedLine]:
    name = before.database
    if name in now.databases:
        lines = inventory_lines(before, now.databases[name])
        if name == own:
            return lines
        return [replace(line, text=f"{name}: {line.text}", database=name) for line in lines if line.state != "ok"]
    if any(why.startswith(f"{name}: ") for why in now.missing):
        return ()
    text = f"Missing database: {name}, with {len(before.tables)} tables in the last inventory"
    return (JudgedLine("inventory: databases", "attention", text, name),)
