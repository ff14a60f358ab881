"""The SQL that finds what differs besides rows: objects of a database, and those that all databases share.

For each kind a query of name, definition and, where it belongs to a table, that table's name. Definitions are '
'compared by
hash and never shown: they may hold secrets, such as the hashes of passwords.
"""

from __future__ import annotations

from collections.abc import Mapping

_USER = "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
_NAMED = "concat(n.nspname, '.', c.relname)"
_OF = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
# Objects that people make rarely: whatever catalog they are in, their row is their definition.
_OTHERS = (
    "pg_operator",
    "pg_cast",
    "pg_collation",
    "pg_language",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_publication",
    "pg_event_trigger",
    "pg_statistic_ext",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_conversion",
    "pg_opclass",
    "pg_opfamily",
    "pg_am",
    "pg_transform",
    "pg_default_acl",
    "pg_publication_rel",
)
_FIRST_OWN = 16384  # FirstNormalObjectId: below it is what initdb made.

KINDS: Mapping[str, str] = {
    "schemas": "SELECT n.nspname AS name, concat_ws('|', pg_get_userbyid(n.nspowner), n.nspacl) AS def, NULL AS of "
    f"FROM pg_namespace n WHERE {_USER}",
    "owners, grants and settings of tables": f"SELECT {_NAMED} AS name, concat_ws('|', pg_get_userbyid(c.relowner), "
    f"c.relacl, "
    "c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relreplident, c.relpersistence, (SELECT "
    "string_agg(concat("
    "a.attname, a.attacl), ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT "
    "NULL)) "
    f"AS def, {_NAMED} AS of {_OF} WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f') AND c.relpersistence <> 't' AND "
    f"{_USER}",
    "indexes": f"SELECT concat(n.nspname, '.', o.relname) AS name, concat(pg_get_indexdef(o.oid), i.indisvalid) AS "
    f"def, "
    f"{_NAMED} AS of {_OF} JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class o ON o.oid = i.indexrelid WHERE "
    f"c.relpersistence <> 't' AND {_USER}",
    "constraints": f"SELECT concat({_NAMED}, ' ', k.conname) AS name, concat(pg_get_constraintdef(k.oid), "
    f"k.convalidated) "
    f"AS def, {_NAMED} AS of {_OF} JOIN pg_constraint k ON k.conrelid = c.oid WHERE c.relpersistence <> 't' AND "
    f"{_USER}",
    "views": f"SELECT {_NAMED} AS name, (SELECT string_agg(r.ev_action::text, ',' ORDER BY r.oid) FROM pg_rewrite r "
    f"WHERE "
    f"r.ev_class = c.oid) AS def, CASE c.relkind WHEN 'm' THEN {_NAMED} END AS of {_OF} WHERE c.relkind IN ('v', 'm') "
    f"AND {_USER}",
    "partitioned tables": f"SELECT {_NAMED} AS name, concat(pg_get_partkeydef(c.oid), (SELECT "
    f"string_agg(concat(a.attname, "
    "format_type(a.atttypid, a.atttypmod)), ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND "
    f"a.attnum > 0 AND NOT a.attisdropped)) AS def, NULL AS of {_OF} WHERE c.relkind = 'p' AND {_USER}",
    "sequences": f"SELECT {_NAMED} AS name, concat_ws('|', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, "
    f"s.seqmax, s.seqmin, s.seqcache, s.seqcycle) AS def, NULL AS of {_OF} JOIN pg_sequence s ON s.seqrelid = c.oid "
    f"WHERE c.relpersistence <> 't' AND {_USER}",
    "foreign tables": f"SELECT {_NAMED} AS name, t.ftoptions::text AS def, NULL AS of {_OF} JOIN pg_foreign_table t ON "
    f"t.ftrelid = c.oid WHERE {_USER}",
    "functions": "SELECT format('%s.%s(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)) AS name, "
    "concat_ws('|', "
    "p.prosrc, p.probin, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prokind, p.provolatile, "
    "p.proisstrict, p.prosecdef, p.proparallel, p.proconfig, p.proacl, pg_get_userbyid(p.proowner), l.lanname) AS "
    "def, NULL "
    f"AS of FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang "
    f"WHERE {_USER}",
    "types": "SELECT concat(n.nspname, '.', t.typname) AS name, concat_ws('|', t.typtype, pg_get_userbyid(t.typowner), "
    "t.typacl, format_type(t.typbasetype, t.typtypmod), t.typdefault, t.typnotnull, (SELECT string_agg(e.enumlabel, "
    "',' "
    "ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), (SELECT string_agg(concat(a.attname, "
    "format_type("
    "a.atttypid, a.atttypmod)), ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND NOT "
    "a.attisdropped), (SELECT string_agg(pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) FROM pg_constraint k "
    "WHERE "
    "k.contypid = t.oid)) AS def, NULL AS of FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN "
    "pg_class "
    f"c ON c.oid = t.typrelid WHERE t.typelem = 0 AND (t.typtype <> 'c' OR c.relkind = 'c') AND {_USER}",
    "triggers": f"SELECT concat({_NAMED}, ' ', t.tgname) AS name, concat(pg_get_triggerdef(t.oid), t.tgenabled) AS "
    f"def, "
    f"{_NAMED} AS of {_OF} JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal AND {_USER}",
    "rules": f"SELECT concat({_NAMED}, ' ', r.rulename) AS name, concat(r.ev_action, r.ev_qual, r.ev_enabled) AS "
    f"def, {_NAMED} "
    f"AS of {_OF} JOIN pg_rewrite r ON r.ev_class = c.oid WHERE r.rulename <> '_RETURN' AND {_USER}",
    "policies": f"SELECT concat({_NAMED}, ' ', p.polname) AS name, concat_ws('|', p.polcmd, p.polpermissive, "
    f"p.polroles, "
    f"p.polqual, p.polwithcheck) AS def, {_NAMED} AS of {_OF} JOIN pg_policy p ON p.polrelid = c.oid WHERE {_USER}",
    "extensions": "SELECT extname AS name, extversion AS def, NULL AS of FROM pg_extension",
    "comments": "SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid) AS name, d.description AS def, "
    f"(SELECT {_NAMED} {_OF} WHERE d.classoid = 'pg_class'::regclass AND c.oid = d.objoid) AS of FROM pg_description d "
    f"WHERE d.objoid >= {_FIRST_OWN}",
    "other objects": " UNION ALL ".join(
        f"SELECT pg_describe_object('{catalog}'::regclass, x.oid, 0) AS name, (to_jsonb(x) - 'oid')::text AS def, "
        f"NULL AS of "
        f"FROM {catalog} x WHERE x.oid >= {_FIRST_OWN}"
        for catalog in _OTHERS
    ),
}
"""Of one database."""

SHARED: Mapping[str, str] = {
    "roles": "SELECT rolname AS name, (to_jsonb(a) - 'oid')::text AS def, NULL AS of FROM pg_authid a",
    "memberships of roles": "SELECT format('%s of %s', pg_get_userbyid(m.member), pg_get_userbyid(m.roleid)) AS name, "
    "string_agg(concat(pg_get_userbyid(m.grantor), to_jsonb(m) - '{oid,roleid,member,grantor}'::text[]), ',' ORDER BY "
    "pg_get_userbyid(m.grantor)) AS def, NULL AS of FROM pg_auth_members m GROUP BY m.member, m.roleid",
    "settings of roles and databases": "SELECT concat_ws(' ', coalesce('role ' || r.rolname, 'all roles'), 'in ' || "
    "d.datname) AS name, s.setconfig::text AS def, d.datname AS of FROM pg_db_role_setting s LEFT JOIN pg_roles r ON "
    "r.oid = "
    "s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase",
    "tablespaces": "SELECT spcname AS name, concat_ws('|', pg_get_userbyid(spcowner), spcacl, spcoptions) AS def, "
    "NULL AS of "
    "FROM pg_tablespace",
    "owners, grants and limits of databases": "SELECT datname AS name, concat_ws('|', pg_get_userbyid(datdba), datacl, "
    "datallowconn, datistemplate, datconnlimit, encoding, datcollate, datctype, (SELECT spcname FROM pg_tablespace t "
    "WHERE "
    "t.oid = dattablespace)) AS def, datname AS of FROM pg_database",
    "subscriptions": "SELECT subname AS name, concat_ws('|', subenabled, subslotname, subpublications) AS def, NULL "
    "AS of "
    "FROM pg_subscription",
}
"""Of the whole cluster."""

_HASHED = "hashtextextended(concat_ws('|', name, def) COLLATE \"C\", 0)"


def sum_sql(query: str) -> str:
    """``[objects, "sum of hashes"]`` of one kind."""
    return f"SELECT json_build_array(count(*), coalesce(sum({_HASHED}), 0)::text) FROM ({query}) q"


def names_sql(query: str) -> str:
    """``[[name, "hash", table or null], …]`` of one kind."""
    return f"SELECT coalesce(json_agg(json_build_array(name, {_HASHED}::text, of)), '[]'::json) FROM ({query}) q"
