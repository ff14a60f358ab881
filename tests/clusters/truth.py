"""The truth of a moment: writers are held for a blink, snapshots of every database exported, time and position noted.

While they are held no transaction is under way but those that were left open on purpose, so all that was committed
is in the snapshots and has an earlier time and position, and whatever is committed later has a later one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.clusters.case import Case
from tests.clusters.picture import Picture, Sequence, parse_dump
from tests.clusters.session import Session

HOLD = 815
"""The advisory lock that writers share for the length of each transaction, and that holds them."""

_SEPARATOR = "\x1c"
# One process of the container for all databases: to start each costs more than to dump.
_DUMPS = r"""
separator=$(printf '\034'); port=$1; user=$2; shift 2
pg_dumpall $port -U "$user" --globals-only --no-role-passwords || exit 1
while [ $# -gt 0 ]; do
    printf '%s' "$separator"
    pg_dump $port -U "$user" -C --no-unlogged-table-data ${2:+"--snapshot=$2"} -d "dbname='$1'" || exit 1
    shift 2
done
"""
_SEQUENCES = """
select coalesce(json_object_agg(quote_ident(schemaname) || '.' || quote_ident(sequencename),
                                json_build_array(last_value, increment_by, cache_size)), '{}') from pg_sequences
"""
_DATABASES = """
select coalesce(json_object_agg(datname, format('limit %s, connections %s, template %s, tablespace %s', datconnlimit,
  datallowconn, datistemplate, (select spcname from pg_tablespace t where t.oid = dattablespace))), '{}')
from pg_database
"""
_CLOCK = "select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_PREPARED = "select coalesce(json_agg(gid || ' in ' || database order by gid), '[]') from pg_prepared_xacts"


@dataclass
class Mark:
    """A moment that a recovery may be asked to come back to, and what there was."""

    at: str
    lsn: str
    picture: Picture
    xid: str = ""
    xid_of: str = ""
    """What the transaction `xid` did: the first that was committed after the moment."""


@dataclass
class _Held:
    sessions: dict[str, Session]
    snapshots: dict[str, str] = field(default_factory=dict)
    sequences: dict[str, Mapping[str, Sequence]] = field(default_factory=dict)

    def release(self) -> None:
        for session in self.sessions.values():
            session.run(f"select pg_advisory_unlock({HOLD})")

    def keep_only(self, databases: Collection[str]) -> None:
        """Leave the other databases; the writers of these are still held, but nothing is locked for a dump."""
        for name in [name for name in self.sessions if name not in databases]:
            self.sessions.pop(name).close()
        for session in self.sessions.values():
            session.run("commit")


def take_mark(case: Case, first_after: Callable[[], tuple[str, str]] | None = None, drops: str = "") -> Mark:
    """Note a moment. `first_after` is done while the writers are still held, so nothing is committed before it.

    It returns its transaction and what it did; `drops` is the database that it drops.
    """
    with _held(case) as held:
        at, lsn = held.sessions["postgres"].run(f"{_CLOCK}; select pg_current_wal_insert_lsn()").splitlines()
        databases = held.sessions["postgres"].run(_DATABASES)
        prepared = held.sessions["postgres"].run(_PREPARED)
        if first_after is None:
            held.release()
        mark = Mark(at, lsn, _picture(case, held.snapshots, held.sequences, databases, prepared))
        case.did(f"noted {at}, {lsn}")
        if first_after is not None:
            held.keep_only(case.written_to - {drops})
            mark.xid, mark.xid_of = first_after()
            held.release()
    case.marks.append(mark)
    return mark


def picture_now(case: Case) -> Picture:
    """What there is now; nobody may be writing."""
    names = case.databases()
    sequences = {name: _parse_sequences(case.sql(_SEQUENCES, name)) for name in names}
    asked = (case.sql(query, "postgres") for query in (_DATABASES, _PREPARED))
    return _picture(case, dict.fromkeys(names, ""), sequences, *asked)


@contextmanager
def _held(case: Case) -> Iterator[_Held]:
    with ExitStack() as stack:
        names = case.databases()
        held = _Held({name: stack.enter_context(Session(case.cluster, name, "judge")) for name in names})
        for session in held.sessions.values():
            session.run(f"select pg_advisory_lock({HOLD})")
        for name, session in held.sessions.items():
            session.run("begin isolation level repeatable read read only")
            held.snapshots[name] = session.run("select pg_export_snapshot()")
            held.sequences[name] = _parse_sequences(session.run(_SEQUENCES))
        yield held


def _parse_sequences(printed: str) -> dict[str, Sequence]:
    return {name: Sequence(*told) for name, told in json.loads(printed).items()}


def _picture(
    case: Case,
    snapshots: Mapping[str, str],
    sequences: Mapping[str, Mapping[str, Sequence]],
    databases: str,
    prepared: str,
) -> Picture:
    wanted = [part for name, snapshot in snapshots.items() for part in (name.replace("'", "\\'"), snapshot)]
    printed = case.inside(_DUMPS, " ".join(case.cluster.psql), case.cluster.site.user, *wanted)
    roles, *dumps = printed.split(_SEPARATOR)
    objects = {name: parse_dump(text) for name, text in zip(snapshots, dumps, strict=True)}
    told = [line for line in roles.splitlines() if line and not line.startswith(("--", "\\", "SET "))]
    return Picture(json.loads(databases), objects, tuple(told), sequences, tuple(json.loads(prepared)))
