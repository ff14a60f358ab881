"""The SQL that reads what a database holds, for the inventory beside a backup and for the comparison with it."""

from __future__ import annotations

from collections.abc import Iterable

from actions.postgres.locks import MOST_LOCKS, RELATIONS

_USER = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'"

_SUMMARY = (
    "query_to_xml(CASE WHEN t.attname IS NULL THEN format('SELECT count(*) AS n FROM ONLY %s', c.oid::regclass) "
    "ELSE format('SELECT count(*) AS n, to_char(max(%I) AT TIME ZONE ''UTC'', ''YYYY-MM-DD HH24:MI:SS.US'') "
    "AS newest FROM ONLY %s', t.attname, c.oid::regclass) END, true, true, '')::text"
)
# The newest row is looked for in the column that applications keep for it, if there is one.
_NEWEST_COLUMN = (
    "LEFT JOIN LATERAL (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped "
    "AND a.atttypid = 'timestamptz'::regtype ORDER BY a.attname <> 'created_at', a.attname <> 'updated_at', "
    "a.attnum LIMIT 1) t ON true"
)


def inventory_sql() -> str:
    """One JSON object of what the connected database holds; no table is looked into, so nobody's lock is in its way.

    Each table with its oid, how many locks a look into it takes, and its file as WAL names it
    (tablespace/database/relfilenode).
    """
    tables = (
        "SELECT n.nspname AS schema, c.relname AS name, c.oid::bigint AS oid, "
        "w.locks, concat_ws('/', coalesce(nullif(c.reltablespace, 0), d.dattablespace), d.oid, "
        "pg_relation_filenode(c.oid)) AS file FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_database d ON d.datname = current_database() JOIN weight w ON w.rel = c.oid "
        f"WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND {_USER} ORDER BY 1, 2"
    )
    return (
        f"{RELATIONS} SELECT json_build_object('database', current_database(), 'total_bytes', "
        f"pg_database_size(current_database()), 'most', {MOST_LOCKS}, "
        f"'tables', (SELECT coalesce(json_agg(row_to_json(q)), '[]'::json) FROM ({tables}) q), "
        f"'indexes', ({_names('pg_index', 'indexrelid', 'indrelid')}), 'constraints', ({_CONSTRAINT_NAMES}))"
    )


def rows_sql(oids: Iterable[int]) -> str:
    """``{"oid": [rows, newest, bytes]}`` of these tables, each counted once."""
    these = ",".join(map(str, oids))
    return (
        "SELECT coalesce(json_object_agg(oid, json_build_array((substring(doc from '<n>([0-9]+)</n>'))::bigint, "
        "substring(doc from '<newest>([^<]+)</newest>') || '+00:00', bytes)), '{}'::json) FROM (SELECT c.oid, "
        f"pg_total_relation_size(c.oid) AS bytes, {_SUMMARY} AS doc "
        f"FROM pg_class c {_NEWEST_COLUMN} WHERE c.oid = ANY ('{{{these}}}'::oid[]) OFFSET 0) q"
    )


def _names(catalogue: str, named: str, table: str) -> str:
    return (
        f"SELECT coalesce(json_agg(format('%I.%I', n.nspname, o.relname) ORDER BY n.nspname, o.relname), "
        f"'[]'::json) FROM {catalogue} i "
        f"JOIN pg_class o ON o.oid = i.{named} JOIN pg_class c ON c.oid = i.{table} "
        f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_USER}"
    )


# NOT NULL constraints got rows of their own in PostgreSQL 18: leaving them out keeps inventories comparable.
_CONSTRAINT_NAMES = (
    "SELECT coalesce(json_agg(format('%I.%I %I', n.nspname, c.relname, k.conname) ORDER BY n.nspname, "
    "c.relname, k.conname), '[]'::json) FROM pg_constraint k "
    f"JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype "
    f"<> 'n' AND {_USER}"
)
