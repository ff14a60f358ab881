"""The SQL of the integrity checks: each statement gives one row with one JSON value, and only reads.

They run on PostgreSQL 13 to 18, on a paused standby too, through ``psql -X -q -A -t``. Tables that may be
absent are counted inside ``query_to_xml``, the one function of the core that runs a composed
query without writing; its answer holds nothing but numbers, taken out by a pattern. Checks that look into many tables
are in ``integrity_many``.
"""

from __future__ import annotations

_USER_SCHEMAS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%' "
    "AND n.nspname NOT LIKE 'pg\\_temp%'"
)


def counted(query: str) -> str:
    """An expression that runs ``SELECT ... AS n`` composed as text and gives its number."""
    return f"(substring(query_to_xml({query}, true, true, '')::text from '<n>([-0-9]+)</n>'))::bigint"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _when_present(tables: tuple[str, ...], value: str) -> str:
    """NULL where a table is missing, so that a database of another kind is “not applicable”."""
    present = " AND ".join(f"to_regclass({_literal(table)}) IS NOT NULL" for table in tables)
    return f"CASE WHEN {present} THEN {value} END"


def rows(columns: str, body: str) -> str:
    return f"SELECT coalesce(json_agg(row_to_json(q)), '[]'::json) FROM (SELECT {columns} {body}) q"


# To measure takes four looks at the file system for each table, so of very many only those are measured that the
# last vacuum found large.
TABLE_SIZES = rows(
    "*",
    "FROM (SELECT t.schema, t.name, pg_total_relation_size(t.oid) AS bytes, t.rows FROM (SELECT c.oid, n.nspname AS "
    "schema, c.relname AS name, greatest(c.reltuples, 0)::bigint AS rows, row_number() OVER (ORDER BY c.relpages "
    "DESC) AS place FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') "
    "AND n.nspname = 'public') t WHERE place <= 1000) m ORDER BY bytes DESC LIMIT 10",
)

ORPHANED_MESSAGES = "SELECT json_build_object('orphans', {users}, 'no_channel', {channels})".format(
    users=_when_present(
        ("nchat_messages", "nchat_users"),
        counted(
            _literal(
                "SELECT count(*) AS n FROM nchat_messages m WHERE NOT EXISTS (SELECT 1 FROM nchat_users u "
                "WHERE u.id = m.user_id)"
            )
        ),
    ),
    channels=_when_present(
        ("nchat_messages", "nchat_channels"),
        counted(
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
        counted(_literal("SELECT count(*) AS n FROM nchat_messages WHERE created_at > now() + interval '1 day'")),
    )
)

USER_COUNTS = "SELECT json_build_object('nchat_users', {}, 'auth_users', {})".format(
    _when_present(("nchat_users",), counted(_literal("SELECT count(*) AS n FROM nchat_users"))),
    _when_present(("auth.users",), counted(_literal("SELECT count(*) AS n FROM auth.users"))),
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

# Also of the catalog. A file that a statement of somebody else just replaced looks missing for an instant. Unlogged
# relations get theirs at the end of recovery.
FILES = rows(
    "c.oid, c.oid::regclass::text AS relation, pg_relation_filepath(c.oid) AS path",
    "FROM pg_class c WHERE c.relkind IN ('r', 'i', 't', 'm', 'S') AND (c.relpersistence = 'p' OR c.relpersistence "
    "= 'u' AND NOT pg_is_in_recovery()) AND pg_relation_filepath(c.oid) IS NOT NULL AND "
    "pg_stat_file(pg_relation_filepath(c.oid), true) IS NULL",
)

UNINDEXED_FOREIGN_KEYS = rows(
    "k.conname AS constraint, k.conrelid::regclass::text AS table",
    "FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT EXISTS (SELECT 1 FROM pg_index i "
    "WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL "
    "AND (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(k.conkey)] @> k.conkey)",
)

DISABLED_TRIGGERS = rows(
    "t.tgname AS trigger, t.tgrelid::regclass::text AS table",
    "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE t.tgenabled = 'D' AND {_USER_SCHEMAS} ORDER BY 2, 1",
)

CHECKSUM_FAILURES = (
    "SELECT json_build_object('failures', sum(checksum_failures), 'enabled', "
    "current_setting('data_checksums') = 'on') FROM pg_stat_database"
)
