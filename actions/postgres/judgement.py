"""How each integrity check is judged, in the manual's terms and with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from actions.postgres.inventory import Contents, TableCount
from actions.wording import listed

State = Literal["ok", "warning", "attention", "not applicable", "unfinished"]
# The drill team's threshold: up to five accounts may be in the middle of their sign-up.
USER_COUNT_TOLERANCE = 5
_NAMED = 3


@dataclass(frozen=True)
class JudgedLine:
    """One finding; the database where it is not the site's own."""

    check: str
    state: State
    text: str
    database: str = ""


def _some(names: list[str]) -> str:
    return listed(names, _NAMED)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _sizes(rows: list[dict[str, Any]]) -> JudgedLine:
    largest = ", ".join(f"{row['name']} {_bytes(row['bytes'])}" for row in rows[:_NAMED])
    return JudgedLine("table sizes", "ok", f"Largest tables: {largest}" if rows else "No tables in the public schema")


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def _orphaned_messages(value: dict[str, Any]) -> JudgedLine:
    users, channels = value["orphans"], value["no_channel"]
    if users is None and channels is None:
        return _absent("orphaned messages", "orphaned records")
    found = [(users, "with an invalid user_id"), (channels, "with an invalid channel_id")]
    bad = [f"{_count(number, 'message')} {what}" for number, what in found if number]
    return JudgedLine(
        "orphaned messages",
        "attention" if bad else "ok",
        f"Orphaned records: {', '.join(bad)}" if bad else "No orphaned records",
    )


def _absent(check: str, title: str) -> JudgedLine:
    return JudgedLine(check, "not applicable", f"{title}: not applicable to this database")


def _future(value: dict[str, Any]) -> JudgedLine:
    number = value["future"]
    if number is None:
        return _absent("future timestamps", "future timestamps")
    text = f"Future timestamps detected: {_count(number, 'message')}" if number else "No future timestamps"
    return JudgedLine("future timestamps", "attention" if number else "ok", text)


def _users(value: dict[str, Any]) -> JudgedLine:
    ours, theirs = value["nchat_users"], value["auth_users"]
    if ours is None or theirs is None:
        return _absent("user counts", "user counts")
    apart = abs(ours - theirs)
    if not apart:
        return JudgedLine("user counts", "ok", f"User counts match: {ours:,}")
    state: State = "warning" if apart <= USER_COUNT_TOLERANCE else "attention"
    return JudgedLine("user counts", state, f"User count mismatch: {ours:,} in nchat_users, {theirs:,} in auth.users")


def _constraints(value: dict[str, Any]) -> JudgedLine:
    bad = value["not_validated"]
    text = f"Constraints not validated: {_some(bad)}" if bad else f"All constraints valid: {value['total']}"
    return JudgedLine("constraints", "attention" if bad else "ok", text)


def _indexes(value: dict[str, Any]) -> JudgedLine:
    bad = value["invalid"]
    text = f"Invalid indexes: {_some(bad)}" if bad else f"All indexes valid: {value['total']}"
    return JudgedLine("indexes", "attention" if bad else "ok", text)


def _unindexed(rows: list[dict[str, Any]]) -> JudgedLine:
    names = [f"{row['constraint']} on {row['table']}" for row in rows]
    text = (
        f"Foreign keys without an index (slow deletes): {_some(names)}" if names else "Every foreign key has an index"
    )
    return JudgedLine("unindexed foreign keys", "warning" if names else "ok", text)


def _triggers(rows: list[dict[str, Any]]) -> JudgedLine:
    names = [f"{row['trigger']} on {row['table']}" for row in rows]
    return JudgedLine(
        "disabled triggers",
        "attention" if names else "ok",
        f"Disabled triggers: {_some(names)}" if names else "No disabled triggers",
    )


def _checksums(value: dict[str, Any]) -> JudgedLine:
    if not value["enabled"]:
        return JudgedLine(
            "checksum failures", "not applicable", "Page checksums are off, so damage to pages goes unseen"
        )
    number = value["failures"] or 0
    return JudgedLine(
        "checksum failures",
        "attention" if number else "ok",
        f"Page checksum failures since the last reset: {number:,}" if number else "No page checksum failures",
    )


def _foreign_keys(rows: list[dict[str, Any]]) -> JudgedLine:
    bad = [
        f"{_count(row['orphans'], 'row')} of {row['table']} without their {row['parent']} ({row['constraint']})"
        for row in rows
        if row["orphans"]
    ]
    if not rows:
        return _absent("foreign keys", "declared foreign keys")
    return JudgedLine(
        "foreign keys",
        "attention" if bad else "ok",
        f"Orphaned records: {_some(bad)}" if bad else f"All {len(rows)} foreign keys hold",
    )


def _sequences(rows: list[dict[str, Any]]) -> JudgedLine:
    names = [
        f"{row['sequence']} at {row['last'] or 'its start'}, {row['table']}.{row['column']} at {row['highest']}"
        for row in rows
    ]
    return JudgedLine(
        "sequences",
        "attention" if names else "ok",
        f"Sequences behind their column: {_some(names)}" if names else "No sequence is behind its column",
    )


def _null_keys(rows: list[dict[str, Any]]) -> JudgedLine:
    names = [f"{_count(row['nulls'], 'row')} of {row['table']}.{row['column']}" for row in rows]
    return JudgedLine(
        "null keys",
        "attention" if names else "ok",
        f"NULL in primary keys: {_some(names)}" if names else "No NULL in primary keys",
    )


def _files(rows: list[dict[str, Any]]) -> JudgedLine:
    names = [f"{row['relation']} ({row['path']})" for row in rows]
    text = f"Files missing on the disk: {_some(names)}" if names else "Every table and index has its file"
    return JudgedLine("files", "attention" if names else "ok", text)


JUDGES: Mapping[str, Callable[[Any], JudgedLine]] = {
    "table sizes": _sizes,
    "orphaned messages": _orphaned_messages,
    "future timestamps": _future,
    "user counts": _users,
    "constraints": _constraints,
    "indexes": _indexes,
    "unindexed foreign keys": _unindexed,
    "disabled triggers": _triggers,
    "checksum failures": _checksums,
    "foreign keys": _foreign_keys,
    "sequences": _sequences,
    "null keys": _null_keys,
    "files": _files,
}


def inventory_lines(before: Contents, now: Contents) -> tuple[JudgedLine, ...]:
    """What a database lacks compared with an inventory; growth is no finding."""
    if before.database != now.database:
        return (
            JudgedLine("inventory", "not applicable", f"The inventory is of {before.database}, not of {now.database}"),
        )
    tables = {table.full_name: table for table in now.tables}
    gone = [table.full_name for table in before.tables if table.full_name not in tables]
    fewer = [(table, tables[table.full_name]) for table in before.tables if table.full_name in tables]
    return (
        _missing("tables", gone),
        _missing("indexes", sorted(set(before.indexes) - set(now.indexes))),
        _missing("constraints", sorted(set(before.constraints) - set(now.constraints))),
        _rows(fewer),
    )


def _missing(what: str, names: list[str]) -> JudgedLine:
    return JudgedLine(
        f"inventory: {what}",
        "attention" if names else "ok",
        f"Missing {what}: {_some(names)}" if names else f"All {what} of the last inventory are there",
    )


def _rows(pairs: list[tuple[TableCount, TableCount]]) -> JudgedLine:
    """Fewer rows can be right, so they are a warning; a table that became empty is not passed over."""
    known = [(old, new.rows) for old, new in pairs if old.rows and new.rows is not None]
    fewer = [f"{old.full_name} {old.rows:,} → {rows:,}" for old, rows in known if old.rows and rows < old.rows]
    emptied = any(rows == 0 for _, rows in known)
    state: State = "attention" if emptied else "warning" if fewer else "ok"
    return JudgedLine(
        "inventory: rows",
        state,
        f"Fewer rows than in the last inventory: {_some(fewer)}"
        if fewer
        else "No table has fewer rows than in the last inventory",
    )
