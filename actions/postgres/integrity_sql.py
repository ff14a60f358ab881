"""The SQL of the integrity checks: each statement gives one row with one JSON value, and only reads.

They run on PostgreSQL 13 to 18, on a paused standby too, through ``psql -X -q -A -t``. Tables that may be
absent, and tables found in the catalogue, are counted inside ``query_to_xml``, the one function of the core
that runs a composed query without writing; its answer holds nothing but numbers, taken out by a pattern.
"""

from __future__ import annotations

_USER_SCHEMAS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%' "
"AND n.nspname NOT LIKE 'pg\\_temp%'"


def _count(query: str) -> str:
    """An expression that runs ``SELECT ... AS n`` composed as text and gives its number."""
    return f"(substring(query_to_xml({query}, true, true, '')::text from '<n>([-0-9]+)</n>'))::bigint"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _when_present(tables: tuple[str, ...], value: str) -> str:
    """NULL where a table is missing, so that a database of another kind is “not applicable”."""
    present = " AND ".join(f"to_regclass({_literal(table)}) IS NOT NULL" for table in tables)
    return f"CASE WHEN {present} THEN {value} END"


def _rows(columns: str, body: str) -> str:
    return f"SELECT coalesce(json_agg(row_to_json(q)), '[]'::json) FROM (SELECT {columns} {body}) q"


TABLE_SIZES = _rows(
    "n.nspname AS schema, c.relname AS name, pg_total_relation_size(c.oid) AS bytes, greatest(c.reltuples, "
    "0)::bigint AS rows",
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND "
    "n.nspname = 'public' "
    "ORDER BY 3 DESC LIMIT 10",
)

ORPHANED_MESSAGES = "SELECT json_build_object('orphans', {users}, 'no_channel', {channels})".format(
    users=_when_present(
        ("nchat_messages", "nchat_users"),
        _count(
            _literal(
                "SELECT count(*) AS n FROM nchat_messages m WHERE NOT EXISTS (SELECT 1 FROM nchat_users u "
                "WHERE u.id = m.user_id)"
            )
        ),
    ),
    channels=_when_present(
        ("nchat_messages", "nchat_channels"),
        _count(
            _literal(
                "SELECT count(*) AS n FROM nchat_messages m WHERE m.channel_id IS NOT NULL "
                "AND NOT EXISTS (SELECT 1 FROM nchat_channels c WHERE c.id = m.channel_id)"
            )
        ),
    ),
)

FUTURE_TIMESTAMPS = "SELECT json_build_object('future', {})".format(
    _when_present(
        ("nchat_messages",),
        _count(_literal("SELECT count(*) AS n FROM nchat_messages WHERE created_at > now() + interval '1 day'")),
    )
)

USER_COUNTS = "SELECT json_build_object('nchat_users', {}, 'auth_users', {})".format(
    _when_present(("nchat_users",), _count(_literal("SELECT count(*) AS n FROM nchat_users"))),
    _when_present(("auth.users",), _count(_literal("SELECT count(*) AS n FROM auth.users"))),
)

# By way of JSON a column that the server does not have, as conenforced before 18, reads as NULL.
CONSTRAINTS = (
    "SELECT json_build_object('total', count(*), 'not_validated', coalesce(json_agg(format('%s on %s', "
    "k.conname, k.conrelid::regclass)) "
    "FILTER (WHERE NOT k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)), '[]'::json)) "
    "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE {_USER_SCHEMAS}"
)

INDEXES = (
    "SELECT json_build_object('total', count(*), 'invalid', coalesce(json_agg(i.indexrelid::regclass::text) "
    "FILTER (WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)), '[]'::json)) FROM pg_index i "
    f"JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_USER_SCHEMAS}"
)

UNINDEXED_FOREIGN_KEYS = _rows(
    "k.conname AS constraint, k.conrelid::regclass::text AS table",
    "FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT EXISTS (SELECT 1 FROM pg_index i "
    "WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL "
    "AND (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(k.conkey)] @> k.conkey)",
)

DISABLED_TRIGGERS = _rows(
    "t.tgname AS trigger, t.tgrelid::regclass::text AS table",
    "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE t.tgenabled = 'D' AND {_USER_SCHEMAS} ORDER BY 2, 1",
)

CHECKSUM_FAILURES = (
    "SELECT json_build_object('failures', sum(checksum_failures), 'enabled', "
    "current_setting('data_checksums') = 'on') FROM pg_stat_database"
)

# One row per declared foreign key. As the server itself does, ONLY is said unless a side is partitioned; MATCH
# SIMPLE exempts a row with any NULL in the key, MATCH FULL only one whose whole key is NULL.
_ORPHAN_QUERY = (
    "format('SELECT count(*) AS n FROM %s %s c WHERE (%s) AND NOT EXISTS (SELECT 1 FROM %s %s p WHERE %s)', "
    "CASE WHEN child.relkind = 'p' THEN '' ELSE 'ONLY' END, k.conrelid::regclass, cols.set, "
    "CASE WHEN parent.relkind = 'p' THEN '' ELSE 'ONLY' END, k.confrelid::regclass, cols.pairs)"
)
_KEY_COLUMNS = (
    "CROSS JOIN LATERAL (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), CASE k.confmatchtype WHEN "
    "'f' THEN ' OR ' ELSE ' AND ' END) AS set, "
    "string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND ') AS pairs "
    "FROM unnest(k.conkey, k.confkey) AS pair(child_column, parent_column) "
    "JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = child_column "
    "JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = parent_column) cols"
)
FOREIGN_KEYS = _rows(
    f"k.conname AS constraint, k.conrelid::regclass::text AS table, k.confrelid::regclass::text AS parent, "
    f"{_count(_ORPHAN_QUERY)} AS orphans",
    "FROM pg_constraint k JOIN pg_class child ON child.oid = k.conrelid JOIN pg_class parent ON parent.oid "
    "= k.confrelid "
    f"{_KEY_COLUMNS} WHERE k.contype = 'f' AND k.conparentid = 0 AND child.relpersistence = 'p' "
    "AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AND NOT coalesce((to_jsonb(k) ->> "
    "'conperiod')::boolean, false) ORDER BY 2, 1",
)

# Owned sequences (serial, identity) and those that a column default calls. Only rising, permanent ones are judged.
_SEQUENCE_COLUMNS = (
    "SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS col FROM pg_depend d WHERE d.classid = "
    "'pg_class'::regclass "
    "AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 "
    "UNION SELECT d.refobjid, f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid "
    "WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'"
)
SEQUENCES_BEHIND = _rows(
    "*",
    "FROM (SELECT s.seqrelid::regclass::text AS sequence, r.oid::regclass::text AS table, a.attname AS column, "
    "pg_sequence_last_value(s.seqrelid) AS last, s.seqstart AS start, "
    + _count("format('SELECT max(%I)::bigint AS n FROM %s', a.attname, r.oid::regclass)")
    + " AS highest "
    f"FROM ({_SEQUENCE_COLUMNS}) u JOIN pg_sequence s ON s.seqrelid = u.seq JOIN pg_class q ON q.oid = s.seqrelid "
    "JOIN pg_class r ON r.oid = u.rel AND r.relkind IN ('r', 'p') AND r.relpersistence = 'p' "
    "JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = u.col AND a.atttypid IN ('int2'::regtype, "
    "'int4'::regtype, 'int8'::regtype) "
    "WHERE q.relkind = 'S' AND q.relpersistence = 'p' AND s.seqincrement > 0 AND NOT s.seqcycle) v "
    "WHERE highest > coalesce(last, start - 1) ORDER BY 1",
)

NULL_KEYS = _rows(
    "*",
    "FROM (SELECT r.oid::regclass::text AS table, a.attname AS column, "
    + _count("format('SELECT count(*) AS n FROM %s WHERE %I IS NULL', r.oid::regclass, a.attname)")
    + " AS nulls "
    "FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid AND r.relkind = 'r' "
    "JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) "
    "WHERE k.contype = 'p' AND r.relpersistence = 'p') v WHERE nulls > 0 ORDER BY 1, 2",
)
