"""The SQL that lets two servers be compared without a link between them.

Each key becomes text; its hash picks a bucket, and a bucket is summed up as a count and a sum of 64-bit
hashes. Only the keys of buckets that differ are fetched. Each statement gives one JSON value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# A power of two, so that a mask finds the bucket, also of a negative hash.
BUCKETS = 1024


@dataclass(frozen=True)
class ComparedTable:
    """A table as ``TABLES`` lists it: its primary key (none: only counts) and the column of its newest row."""

    schema: str
    name: str
    key: tuple[str, ...] = ()
    newest: str | None = None
    estimate: int = 0

    @property
    def full_name(self) -> str:
        """Schema and name as people say it."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """Schema and name as SQL reads it."""
        return f"{identifier(self.schema)}.{identifier(self.name)}"


TABLES = (
    "SELECT coalesce(json_agg(row_to_json(q)), '[]'::json) FROM (SELECT n.nspname AS schema, c.relname AS name, "
    "greatest(c.reltuples, 0)::bigint AS estimate, "
    "(SELECT coalesce(json_agg(a.attname ORDER BY k.place), '[]'::json) FROM pg_index i "
    "CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum "
    "WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts) AS key, "
    "(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.atttypid = "
    "'timestamptz'::regtype "
    "ORDER BY a.attname <> 'created_at', a.attname <> 'updated_at', a.attnum LIMIT 1) AS newest "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence = 'p' "
    "AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2) q"
)


def identifier(name: str) -> str:
    """A name as an SQL identifier, whatever it contains."""
    if not name or "\0" in name:
        raise ValueError(f"not a name: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def summary_sql(table: ComparedTable) -> str:
    """``{"rows": n, "newest": moment or null}``."""
    newest = (
        "NULL"
        if table.newest is None
        else (f"to_char(max({identifier(table.newest)}) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00:00'")
    )
    return f"SELECT json_build_object('rows', count(*), 'newest', {newest}) FROM ONLY {table.quoted}"


def buckets_sql(table: ComparedTable, *, contents: bool = False) -> str:
    """``{"bucket": [count, "sum of hashes"]}``; with contents, changed rows make their bucket differ too."""
    hashed = f"hashtextextended({'t::text' if contents else _key(table)}, 0)::numeric"
    return (
        f"SELECT coalesce(json_object_agg(bucket, json_build_array(n, total)), '{{}}'::json) FROM (SELECT "
        f"{_bucket(table)} AS bucket, "
        f"count(*) AS n, sum({hashed})::text AS total FROM ONLY {table.quoted} t GROUP BY 1) b"
    )


def keys_sql(table: ComparedTable, buckets: Iterable[int], *, contents: bool = False) -> str:
    """``{"key": "hash of the row"}`` of those buckets; without contents every hash is empty."""
    wanted = ", ".join(str(int(bucket)) for bucket in sorted(buckets))
    value = "hashtextextended(t::text, 0)::text" if contents else "''"
    return (
        f"SELECT coalesce(json_object_agg({_key(table)}, {value}), '{{}}'::json) "
        f"FROM ONLY {table.quoted} t WHERE {_bucket(table)} IN ({wanted})"
    )


def together(queries: Mapping[str, str]) -> str:
    """``{"name": value}`` of many queries in one statement, each of which gives one JSON value."""
    rows = (f"SELECT {_literal(name)} AS name, ({query}) AS value" for name, query in queries.items())
    return f"SELECT json_object_agg(name, value) FROM ({' UNION ALL '.join(rows)}) q"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _key(table: ComparedTable) -> str:
    if not table.key:
        raise ValueError(f"{table.full_name} has no primary key to compare by")
    columns = [f"t.{identifier(column)}" for column in table.key]
    # A row in text form separates and quotes its columns, so that two keys never look alike.
    return f"{columns[0]}::text" if len(columns) == 1 else f"ROW({', '.join(columns)})::text"


def _bucket(table: ComparedTable) -> str:
    return f"(hashtext({_key(table)}) & {BUCKETS - 1})"
