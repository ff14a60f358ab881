"""The SQL that lets the tables of two servers be compared without a link between them.

A row becomes text, as its types' own output functions write it, and the text a 64-bit hash. A table is first summed up:
rows and the sum of their hashes. One that differs is summed up in buckets by the hash of its key, and of the buckets
that differ the hashes are fetched. Without a key the row itself is the key. Each statement gives one JSON value; all
are meant for a session whose search path is empty and whose text forms are pinned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from actions.postgres.locks import MOST_LOCKS, RELATIONS

TABLE, VIEW, OBJECTS = "r", "m", "L"
"""The kinds of what has rows: tables (also partitions), materialized views, and all large objects of a database."""
LARGE_OBJECTS = 2613  # pg_largeobject's own oid, the same in every database (src/include/catalog/pg_largeobject.h).
_USER = "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"


@dataclass(frozen=True)
class ComparedTable:
    """A table as ``TABLES`` lists it. `key`: columns of its primary key, else of a unique one without NULL.

    `columns` is a hash of its columns' names, types and rules; `locks` how many relations a look into it touches.
    `common` are the columns to compare where those of the two sides differ; empty: all.
    """

    oid: int
    schema: str
    name: str
    kind: str = TABLE
    bytes: int = 0
    locks: int = 1
    key: tuple[str, ...] = ()
    columns: str = ""
    persistence: str = "p"
    filled: bool = True
    common: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """Schema and name as people say it."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    @property
    def quoted(self) -> str:
        """Schema and name as SQL reads it."""
        return f"{identifier(self.schema)}.{identifier(self.name)}"

    def of_common(self, columns: Sequence[str]) -> ComparedTable:
        """The same with only these columns compared; a key of others is none."""
        return replace(self, common=tuple(columns), key=self.key if set(self.key) <= set(columns) else ())


# What the last vacuum found; SIZES knows better where the role may see files.
_PAGES = "(SELECT coalesce(sum(f.relpages::bigint * 8192), 0) FROM pg_class f WHERE f.oid IN (c.oid, c.reltoastrelid))"
# Of the file system, not of the relation: that would wait for the locks of others.
_BYTES = (
    "(SELECT sum(greatest(f.relpages::bigint * 8192, (pg_stat_file(pg_relation_filepath(f.oid), true)).size)) "
    "FROM pg_class f WHERE f.oid IN (c.oid, c.reltoastrelid))"
)
_COLUMNS = (
    "(SELECT hashtextextended(coalesce(string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), "
    "a.attnotnull, a.attgenerated, a.attidentity, pg_get_expr(d.adbin, d.adrelid)), ',' ORDER BY a.attnum), '') "
    'COLLATE "C", 0)::text FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = '
    "a.attnum WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)"
)
_KEY = (
    "(SELECT json_agg(a.attname ORDER BY p.place) FROM (SELECT i.indkey::int2[] AS attnums, i.indnkeyatts FROM "
    "pg_index "
    "i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND "
    "i.indexprs IS NULL AND NOT EXISTS (SELECT FROM pg_attribute b WHERE b.attrelid = c.oid AND NOT b.attnotnull AND "
    "b.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) ORDER BY NOT i.indisprimary, i.indnkeyatts, "
    "i.indexrelid "
    "LIMIT 1) k CROSS JOIN LATERAL unnest(k.attnums) WITH ORDINALITY AS p(attnum, place) JOIN pg_attribute a ON "
    "a.attrelid = c.oid AND a.attnum = p.attnum WHERE p.place <= k.indnkeyatts)"
)
_LISTED = (
    f"SELECT json_build_array(c.oid::bigint, n.nspname, c.relname, c.relkind, {_PAGES}, w.locks, {_KEY}, {_COLUMNS}, "
    "c.relpersistence, c.relispopulated) AS row FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN "
    f"weight w ON w.rel = c.oid WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND {_USER} UNION ALL SELECT "
    f"json_build_array({LARGE_OBJECTS}, '', 'large objects', '{OBJECTS}', (SELECT relpages::bigint * 8192 FROM "
    f"pg_class "
    f"WHERE oid = {LARGE_OBJECTS}), 2, NULL, '', 'p', true) WHERE EXISTS (SELECT FROM pg_largeobject_metadata)"
)
_SEQUENCES = (
    "SELECT coalesce(json_agg(json_build_array(c.oid::bigint, n.nspname, c.relname, s.seqincrement, s.seqcache)), "
    "'[]'::json) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = "
    "c.oid "
    f"WHERE c.relpersistence = 'p' AND {_USER}"
)
_FOREIGN = (
    "SELECT coalesce(json_agg(format('%s.%s', n.nspname, c.relname)), '[]'::json) FROM pg_class c JOIN pg_namespace n "
    f"ON n.oid = c.relnamespace WHERE c.relkind = 'f' AND {_USER}"
)
TABLES = (
    f"{RELATIONS} SELECT json_build_object('at', clock_timestamp(), 'most', {MOST_LOCKS}, 'tables', (SELECT "
    f"coalesce(json_agg(row), '[]'::json) FROM ({_LISTED}) q), 'sequences', ({_SEQUENCES}), 'foreign', ({_FOREIGN}))"
)


_FEW_BYTES = 32 << 20
"""Up to so many bytes all tables of a database are summed up at the beginning, in the same command."""

SIZES = (
    f"SELECT json_object_agg(c.oid, {_BYTES}) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND {_USER}"
)
"""``{"oid": bytes}``, only for a role that may see files."""


def identifier(name: str) -> str:
    """A name as an SQL identifier, whatever it contains."""
    if not name or "\0" in name:
        raise ValueError(f"not a name: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def _hash(text: str) -> str:
    return f'hashtextextended({text} COLLATE "C", 0)'


# Composed by the server, so that thousands of tables take a list of numbers and not megabytes of SQL. OFFSET 0 keeps
# the planner from composing, and so counting, more than once.
_SUM = (
    'format(\'SELECT count(*) AS n, sum(h) AS s FROM (SELECT hashtextextended((t.*)::text COLLATE "C", 0) AS h FROM '
    "ONLY "
    "%I.%I t) q', n.nspname, c.relname)"
)


_DIGESTS = (
    "SELECT coalesce(json_object_agg(oid, json_build_array((substring(doc from '<n>([0-9]+)</n>'))::bigint, "
    "coalesce(substring(doc from '<s>(-?[0-9]+)</s>'), '0'))), '{{}}'::json) FROM (SELECT c.oid, "
    "query_to_xml({sum}, true, true, '')::text AS doc FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE {which} OFFSET 0) q"
)


def digests_sql(oids: Iterable[int]) -> str:
    """``{"oid": [rows, "sum of hashes"]}`` of these tables."""
    these = ",".join(map(str, oids))
    return _DIGESTS.format(sum=_SUM, which=f"c.oid = ANY ('{{{these}}}'::oid[])")


_COMPARED = f"c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND c.relispopulated AND {_USER}"
DIGESTS_IF_FEW = (
    f"{RELATIONS}, few AS MATERIALIZED (SELECT c.oid, c.reltoastrelid, w.locks FROM pg_class c JOIN pg_namespace n "
    f"ON n.oid "
    f"= c.relnamespace JOIN weight w ON w.rel = c.oid WHERE {_COMPARED}) SELECT CASE WHEN (SELECT sum(locks) FROM "
    f"few) <= "
    f"{MOST_LOCKS} THEN CASE WHEN (SELECT sum({_BYTES}) FROM few c) <= {_FEW_BYTES} THEN "
    f"({_DIGESTS.format(sum=_SUM, which=_COMPARED)}) END END"
)
"""The digests of all tables, or null where there are more than one statement should read."""

POSITIONS_IF_FEW = (
    "SELECT CASE WHEN count(*) <= " + MOST_LOCKS + " THEN json_object_agg(oid, "
    "pg_sequence_last_value(oid::regclass)) END "
    "FROM (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND "
    f"c.relpersistence = 'p' AND {_USER}) s"
)
"""The positions of all sequences, or null where there are too many, or none."""


def digest_of_objects_sql() -> str:
    """The same of all large objects together."""
    return (
        f"SELECT json_build_object('{LARGE_OBJECTS}', json_build_array(count(*), coalesce(sum(h), 0)::text)) "
        f"FROM ({_hashes(ComparedTable(LARGE_OBJECTS, '', 'large objects', OBJECTS))}) q"
    )


_OBJECTS = (
    f"SELECT {_hash('m.oid::text')} AS k, {_hash('concat(m.oid, coalesce(sum(l.h), 0))')} AS h FROM "
    f"pg_largeobject_metadata "
    f"m LEFT JOIN (SELECT loid, {_hash('concat(pageno, data)')} AS h FROM pg_largeobject) l ON l.loid = m.oid GROUP "
    f"BY m.oid"
)


def _hashes(table: ComparedTable) -> str:
    """The rows of a table as pairs of hashes: of the key, of all of the row."""
    if table.kind == OBJECTS:
        return _OBJECTS
    row = _hash(f"{_row(table.common)}::text" if table.common else "(t.*)::text")
    key = _hash(f"{_row(table.key)}::text") if table.key else row
    return f"SELECT {key} AS k, {row} AS h FROM ONLY {table.quoted} t"


def _row(columns: Iterable[str]) -> str:
    # A row in text form separates and quotes its columns, so that two keys never look alike.
    return f"ROW({', '.join(f't.{identifier(column)}' for column in columns)})"


def buckets_sql(table: ComparedTable, buckets: int) -> str:
    """``[[bucket, rows, "sum of the keys' hashes", "sum of the rows' hashes"], …]``; `buckets` is a power of two."""
    return (
        "SELECT coalesce(json_agg(json_build_array(b, n, k, h)), '[]'::json) FROM (SELECT "
        f"k & {buckets - 1} AS b, count(*) AS n, sum(k)::text AS k, sum(h)::text AS h FROM ({_hashes(table)}) r "
        "GROUP BY 1) q"
    )


def pairs_sql(table: ComparedTable, where: str = "true") -> str:
    """The pairs of hashes, 16 bytes each, as Base64: of the whole table, or of some buckets of it."""
    return (
        "SELECT to_json(coalesce(translate(encode(string_agg(int8send(k) || int8send(h), ''::bytea), 'base64'), "
        f"E'\\n', ''), '')) FROM ({_hashes(table)}) r WHERE {where}"
    )


def these_buckets(these: Iterable[int], buckets: int) -> str:
    """A condition: in one of these buckets of so many."""
    return f"k & {buckets - 1} IN ({', '.join(str(int(bucket)) for bucket in these)})"


def buckets_between(first: int, last: int, buckets: int) -> str:
    """A condition: in a bucket of this span."""
    return f"k & {buckets - 1} BETWEEN {int(first)} AND {int(last)}"


def columns_sql(oids: Iterable[int]) -> str:
    """``{"oid": [[column, definition, null, type], …]}`` in the order of the columns."""
    these = ",".join(map(str, oids))
    return (
        "SELECT coalesce(json_object_agg(oid, columns), '{}'::json) FROM (SELECT a.attrelid AS oid, json_agg("
        "json_build_array(a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN "
        "'NOT NULL' END, 'generated ' || nullif(a.attgenerated::text, ''), 'identity ' || "
        "nullif(a.attidentity::text, ''), "
        "pg_get_expr(d.adbin, d.adrelid)), NULL, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum) AS columns "
        "FROM pg_attribute a LEFT JOIN pg_attrdef d ON "
        f"d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = ANY ('{{{these}}}'::oid[]) AND a.attnum > 0 "
        "AND NOT a.attisdropped GROUP BY 1) q"
    )


def positions_sql(oids: Iterable[int]) -> str:
    """``{"oid": last value or null}`` of these sequences."""
    these = ",".join(map(str, oids))
    return (
        "SELECT coalesce(json_object_agg(oid, pg_sequence_last_value(oid::regclass)), '{}'::json) "
        f"FROM unnest('{{{these}}}'::oid[]) AS oid"
    )
