"""Questions about what a recovery changes besides rows, each with one JSON value as its answer.

The first are about the whole cluster. `UNLOGGED` and `SEQUENCES` are asked of every database; each looks at a limited
number of relations, since each of them takes a place in the lock table until the statement ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_UNLOGGED, MOST_SEQUENCES = 200, 500

PREPARED = (
    "select coalesce(json_agg(json_build_object('gid', gid, 'xid', transaction::text, 'at', prepared, 'owner', owner, "
    "'database', database) order by prepared), '[]'::json) from pg_prepared_xacts"
)
SUBSCRIPTIONS = (
    "select coalesce(json_agg(json_build_object('name', subname, 'database', datname, 'slot', subslotname) "
    "order by subname), '[]'::json) from pg_subscription join pg_database d on d.oid = subdbid where subenabled"
)
# After a reload a value of the command line that is not the file's is marked as pending too, though no start would take
# the file's (set_config_option of src/backend/utils/misc/guc.c asks for a change before it asks who has the say).
PENDING = (
    "select coalesce(json_agg(name order by name), '[]'::json) from pg_settings where pending_restart "
    "and source <> 'command line' and name not in ('recovery_target_action')"
)
STATEMENTS = "select to_json(count(*) > 0) from pg_settings where name = 'pg_stat_statements.max'"
# Sizes are those of the main fork, which a server in recovery does not have yet.
UNLOGGED = (
    "select coalesce(json_agg(q), '[]'::json) from (select n.nspname || '.' || c.relname as name, c.relkind as kind, "
    "greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint as rows, pg_relation_size(c.oid) as bytes "
    "from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relpersistence = 'u' "
    f"and c.relkind in ('r', 'm', 'S') order by c.relkind, c.oid limit {MOST_UNLOGGED}) q"
)
SEQUENCES = (
    "select coalesce(json_object_agg(name, last), '{}'::json) from (select q.name, pg_sequence_last_value(q.oid) as "
    "last from (select c.oid, n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n "
    "on n.oid = c.relnamespace where c.relkind = 'S' and c.relpersistence = 'p' "
    # The planner may ask for the privilege first, and of a relation that is no sequence that is an error.
    "and case when c.relkind = 'S' then has_sequence_privilege(c.oid, 'SELECT') end "
    f"order by c.oid limit {MOST_SEQUENCES}) q) v"
)


@dataclass(frozen=True)
class Unlogged:
    """An unlogged table, materialized view or sequence: empty, or at its start, after every recovery."""

    name: str
    database: str
    sequence: bool = False
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Subscription:
    """An enabled subscription: the slot of its publisher does not go back with it."""

    name: str
    database: str
    slot: str = ""


@dataclass(frozen=True)
class GoesBack:
    """A sequence that has handed out values after the stop."""

    name: str
    database: str
    now: int
    then: int | None


def parse_unlogged(database: str, found: Iterable[Mapping[str, Any]]) -> tuple[Unlogged, ...]:
    """What `UNLOGGED` brought from one database."""
    return tuple(
        Unlogged(row["name"], database, row["kind"] == "S", int(row["rows"]), int(row["bytes"])) for row in found
    )


def parse_subscriptions(found: Iterable[Mapping[str, Any]]) -> tuple[Subscription, ...]:
    """What `SUBSCRIPTIONS` brought."""
    return tuple(Subscription(row["name"], row["database"], row.get("slot") or "") for row in found)


def going_back(database: str, live: Mapping[str, int | None], clone: Mapping[str, int | None]) -> tuple[GoesBack, ...]:
    """The sequences of one database whose values may be handed out again; one that is new since goes as a whole."""
    both = ((name, now, clone[name]) for name, now in live.items() if name in clone and now is not None)
    return tuple(GoesBack(name, database, now, then) for name, now, then in both if now != then)
