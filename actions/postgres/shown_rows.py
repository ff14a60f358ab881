"""Rows around a moment, as people know them: the last ones of a copy, and those that the live data has after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from actions.postgres.compare_sql import identifier
from actions.postgres.quoting import literal

LONGEST = 160
"""So many characters of a value are shown; people recognise a message by its beginning."""
_CUT = "…”"
_ORDERED = ("smallint", "integer", "bigint", "numeric", "date")


@dataclass(frozen=True)
class ShownTable:
    """A table of which some columns may be shown, with how many rows on each side of a moment."""

    name: str
    columns: tuple[str, ...]
    rows: int = 3

    @property
    def quoted(self) -> str:
        """The table's name within SQL; without a schema it is found as the server's search path says."""
        return ".".join(map(identifier, self.name.split(".")))


@dataclass(frozen=True)
class ShownRow:
    """One row: its key and its values, as text."""

    key: str
    values: tuple[str, ...]

    @property
    def is_cut(self) -> bool:
        """Whether a value is longer than is shown, so that two rows that look alike may differ."""
        return any(value.endswith(_CUT) for value in self.values)

    def says(self) -> str:
        """The row as a line."""
        return f"{self.key}: {' · '.join(self.values)}"


def shown_tables(said: Sequence[str], rows: int = 3) -> tuple[ShownTable, ...]:
    """The tables that `table.column` or `schema.table.column` name, in that order.

    Raises:
        ValueError: one of them names no column of a table.
    """
    columns: dict[str, list[str]] = {}
    for one in said:
        parts = one.split(".")
        if len(parts) not in (2, 3) or not all(part and "\0" not in part for part in parts):
            raise ValueError(f"'{one[:80]}' names no column; write table.column, or schema.table.column")
        columns.setdefault(".".join(parts[:-1]), []).append(parts[-1])
    return tuple(ShownTable(name, tuple(dict.fromkeys(found)), rows) for name, found in columns.items())


def key_sql(table: ShownTable) -> str:
    """Asks for the columns of the primary key with their types."""
    return (
        "select a.attname::text as name, format_type(a.atttypid, null) as type from pg_index i "
        "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey) "
        f"where i.indisprimary and i.indrelid = to_regclass({literal(table.quoted)})"
    )


def ordering_key(found: Sequence[dict[str, Any]]) -> str:
    """The name of the primary key where it is one column that grows with time, else an empty text."""
    if len(found) != 1:
        return ""
    kind = str(found[0]["type"])
    return str(found[0]["name"]) if kind in _ORDERED or kind.startswith("timestamp") else ""


def last_sql(table: ShownTable, key: str) -> str:
    """Asks for the last rows, the newest first."""
    return f"{_select(table, key)} order by {identifier(key)} desc limit {table.rows}"


def after_sql(table: ShownTable, key: str, last: str | None) -> str:
    """Asks for the first rows after that key, or for the first ones of all."""
    where = f" where {identifier(key)} > {literal(last)}" if last is not None else ""
    return f"{_select(table, key)}{where} order by {identifier(key)} limit {table.rows}"


def same_sql(table: ShownTable, key: str, keys: Sequence[str]) -> str:
    """Asks for the rows of these keys."""
    return f"{_select(table, key)} where {identifier(key)} in ({', '.join(map(literal, keys))})"


def rows_of(table: ShownTable, found: Sequence[dict[str, Any]]) -> list[ShownRow]:
    """The rows that a query brought."""
    return [ShownRow(str(one["key"]), tuple(_value(one[f"c{n}"]) for n in range(len(table.columns)))) for one in found]


def _select(table: ShownTable, key: str) -> str:
    # One character more than is shown, which tells that there is more.
    columns = [f"left({identifier(name)}::text, {LONGEST + 1}) as c{n}" for n, name in enumerate(table.columns)]
    return f"select {identifier(key)}::text as key, {', '.join(columns)} from {table.quoted}"


def _value(text: Any) -> str:
    if text is None:
        return "(null)"
    line = " ".join(str(text).split())
    return f"“{line[:LONGEST]}{_CUT}" if len(str(text)) > LONGEST else f"“{line}”"
