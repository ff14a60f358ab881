"""The SQL of the integrity checks that look into many tables, in pieces that fit into the table of locks.

Each gives the list of its findings. Where all of its tables are too many for one statement it gives which there are
instead, ``{"most": locks, "ids": [[id, locks], …]}``, and is asked again with ``only`` for some of them at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from actions.postgres.integrity_sql import counted, rows
from actions.postgres.locks import MOST_LOCKS, RELATIONS, pieces

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
_DECLARED = (
    "FROM pg_constraint k JOIN pg_class child ON child.oid = k.conrelid JOIN pg_class parent ON parent.oid = "
    "k.confrelid {more}WHERE k.contype = 'f' AND k.conparentid = 0 AND child.relpersistence = 'p' "
    "AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AND NOT coalesce((to_jsonb(k) ->> "
    "'conperiod')::boolean, false)"
)
# Owned sequences (serial, identity) and those that a column default calls. Only rising, permanent ones are judged.
_SEQUENCE_COLUMNS = (
    "SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS col FROM pg_depend d WHERE d.classid = "
    "'pg_class'::regclass "
    "AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 "
    "UNION SELECT d.refobjid, f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid "
    "WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'"
)
_JUDGED_SEQUENCES = (
    f"FROM ({_SEQUENCE_COLUMNS}) u JOIN pg_sequence s ON s.seqrelid = u.seq JOIN pg_class q ON q.oid = s.seqrelid "
    "JOIN pg_class r ON r.oid = u.rel AND r.relkind IN ('r', 'p') AND r.relpersistence = 'p' "
    "JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = u.col AND a.atttypid IN ('int2'::regtype, "
    "'int4'::regtype, 'int8'::regtype) "
    "WHERE q.relkind = 'S' AND q.relpersistence = 'p' AND s.seqincrement > 0 AND NOT s.seqcycle"
)
_KEYED = (
    "FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid AND r.relkind = 'r' {more}"
    "WHERE k.contype = 'p' AND r.relpersistence = 'p'"
)


def _foreign_keys(these: str) -> str:
    return rows(
        f"k.conname AS constraint, k.conrelid::regclass::text AS table, k.confrelid::regclass::text AS parent, "
        f"{counted(_ORPHAN_QUERY)} AS orphans",
        f"{_DECLARED.format(more=_KEY_COLUMNS + ' ')}{_among('k.oid', these)} ORDER BY 2, 1",
    )


def _sequences(these: str) -> str:
    return rows(
        "*",
        "FROM (SELECT s.seqrelid::regclass::text AS sequence, r.oid::regclass::text AS table, a.attname AS column, "
        "pg_sequence_last_value(s.seqrelid) AS last, s.seqstart AS start, "
        + counted("format('SELECT max(%I)::bigint AS n FROM %s', a.attname, r.oid::regclass)")
        + f" AS highest {_JUDGED_SEQUENCES}{_among('s.seqrelid', these)}) v "
        "WHERE highest > coalesce(last, start - 1) ORDER BY 1",
    )


# From 17 on the planner takes IS NULL of a NOT NULL column for false without looking; a function it has to ask.
def _null_keys(these: str) -> str:
    return rows(
        "*",
        "FROM (SELECT r.oid::regclass::text AS table, a.attname AS column, "
        + counted("format('SELECT count(*) AS n FROM ONLY %s WHERE num_nulls(%I) > 0', r.oid::regclass, a.attname)")
        + " AS nulls "
        + _KEYED.format(more="JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) ")
        + f"{_among('k.oid', these)}) v WHERE nulls > 0 ORDER BY 1, 2",
    )


def _among(column: str, these: str) -> str:
    return f" AND {column} = ANY ('{these}'::oid[])" if these else ""


def _few(ids: str, check: str) -> str:
    listed = "SELECT coalesce(json_agg(json_build_array(id, locks)), '[]'::json) FROM ids"
    return (
        f"{RELATIONS}, ids AS MATERIALIZED ({ids}) SELECT CASE WHEN (SELECT coalesce(sum(locks), 0) FROM ids) <= "
        f"{MOST_LOCKS} THEN ({check}) ELSE json_build_object('most', {MOST_LOCKS}, 'ids', ({listed})) END"
    )


FOREIGN_KEYS = _few(
    "SELECT k.oid AS id, a.locks + b.locks AS locks "
    + _DECLARED.format(more="JOIN weight a ON a.rel = k.conrelid JOIN weight b ON b.rel = k.confrelid "),
    _foreign_keys(""),
)
SEQUENCES_BEHIND = _few(
    "SELECT s.seqrelid AS id, 1 + (SELECT locks FROM weight WHERE weight.rel = r.oid) AS locks " + _JUDGED_SEQUENCES,
    _sequences(""),
)
NULL_KEYS = _few(
    "SELECT k.oid AS id, w.locks " + _KEYED.format(more="JOIN weight w ON w.rel = k.conrelid "), _null_keys("")
)
_ONLY: Mapping[str, Callable[[str], str]] = {
    FOREIGN_KEYS: _foreign_keys,
    SEQUENCES_BEHIND: _sequences,
    NULL_KEYS: _null_keys,
}


def only(check: str, ids: Iterable[int]) -> str:
    """One of the three statements, for these ids alone."""
    return _ONLY[check](f"{{{','.join(map(str, ids))}}}")


def in_pieces(check: str, value: Any) -> Iterator[str]:
    """The statements to ask instead, where a check told which tables there are; none where it was made."""
    if isinstance(value, dict) and "ids" in value:
        found: Sequence[tuple[int, int]] = [(int(id), int(locks)) for id, locks in value["ids"]]
        yield from (only(check, some) for some in pieces(found, int(value["most"])))
