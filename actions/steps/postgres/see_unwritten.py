"""What servers say of things that no WAL brings back: slots, unlogged tables, sequences, subscriptions, counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actions.engine.errors import Away, RecoveryError
from actions.engine.facts import volatile
from actions.postgres.besides_sql import (
    MOST_SEQUENCES,
    MOST_UNLOGGED,
    PENDING,
    PREPARED,
    SEQUENCES,
    STATEMENTS,
    SUBSCRIPTIONS,
    UNLOGGED,
    GoesBack,
    Subscription,
    Unlogged,
    going_back,
    parse_subscriptions,
    parse_unlogged,
)
from actions.postgres.replication_slots import SLOTS, Slot, parse_slot_file, parse_slots
from actions.postgres.server import Server
from actions.steps.postgres.ask_live import in_short
from actions.tools.docker import Docker
from actions.tools.names import Names
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import QueryResult, Sql

_PLAN_SECONDS, _SECONDS = 5.0, 30.0
_OF_THE_LIVE = "what is unlogged, prepared or ahead on the live server"
_CLUSTER = (SLOTS, SUBSCRIPTIONS, PENDING, STATEMENTS, PREPARED)
_QUERIES = (*_CLUSTER, UNLOGGED, SEQUENCES)


@dataclass(frozen=True)
class NotInWal:
    """All that was found. `prepared` are names of those that are open on the live server now.

    `pending` are settings that the live server has not put into force yet, `unknown` what could not be asked, and
    `databases` how many were looked at. It is shown and not approved.
    """

    slots: tuple[Slot, ...] = volatile(default=())
    unlogged: tuple[Unlogged, ...] = volatile(default=())
    subscriptions: tuple[Subscription, ...] = volatile(default=())
    sequences: tuple[GoesBack, ...] = volatile(default=())
    prepared: tuple[str, ...] = volatile(default=())
    pending: tuple[str, ...] = volatile(default=())
    statements: bool = volatile(default=False)
    unknown: tuple[str, ...] = volatile(default=())
    databases: int = volatile(default=0)

    def says(self) -> str:
        """In one line."""
        found = (
            ("slots", self.slots),
            ("unlogged relations", self.unlogged),
            ("subscriptions", self.subscriptions),
            ("sequences that go back", self.sequences),
        )
        named = [f"{len(some)} {what}" for what, some in found if some]
        return ", ".join([*named, *(["some of it not known"] if self.unknown else [])]) or "nothing that would be lost"


@dataclass(frozen=True)
class _Said:
    """What one server answered; `by_database` has the two questions of each database."""

    cluster: tuple[QueryResult, ...]
    by_database: Mapping[str, Sequence[QueryResult]]


def foresee_unwritten(server: Server, docker: Docker, files: PostgresFiles, sql: Sql) -> NotInWal:
    """Of the live server alone, before anything is touched; what it does not answer is said to be unknown."""
    said = _ask_live(server, docker, sql, _PLAN_SECONDS)
    return _without(said, server, files) if isinstance(said, str) else _found(said, None)


def see_unwritten(server: Server, names: Names, docker: Docker, files: PostgresFiles, sql: Sql) -> NotInWal:
    """Of the clone at the stop, against the live server as it is now."""
    clone = _ask(names.clone, server, sql, _SECONDS)
    live = _ask_live(server, docker, sql, _SECONDS)
    if isinstance(live, str):
        return _without(live, server, files, clone)
    return _found(live, clone)


def _ask_live(server: Server, docker: Docker, sql: Sql, seconds: float) -> _Said | str:
    """What it says; or why it says nothing."""
    container = docker.find(server.service)
    if container is None or container.state != "running":
        return f"it is {container.state if container else 'gone'}"
    said = _ask(server.service, server, sql, seconds)
    trouble = next((answer.error for answer in said.cluster if answer.error is not None), None)
    return said if any(answer.error is None for answer in said.cluster) else _why(trouble)


def _why(trouble: RecoveryError | None) -> str:
    return in_short(trouble.detail or trouble.message) if trouble else "none of its databases answers"


def _ask(container: str, server: Server, sql: Sql, seconds: float) -> _Said:
    try:
        told = sql.everywhere(container, server, _QUERIES, seconds=seconds, bare=True)
    except Away:
        raise
    except RecoveryError as trouble:
        return _Said(tuple(QueryResult(error=trouble) for _ in _CLUSTER), {})
    several = [given[: len(_CLUSTER)] for given in told.values() if len(given) == len(_QUERIES)]
    # Each database says the same of the whole cluster; one that cannot be connected to says nothing.
    cluster = [next((one for one in column if one.error is None), column[0]) for column in zip(*several, strict=True)]
    return _Said(tuple(cluster), {name: given[len(_CLUSTER) :] for name, given in told.items()})


def _without(why: str, server: Server, files: PostgresFiles, clone: _Said | None = None) -> NotInWal:
    """Where the live server does not answer: slots from its files, tables by the clone's catalogs."""
    slots, unknown = list[Slot](), [f"{_OF_THE_LIVE}: {why}"]
    try:
        slots = [slot for data in files.slot_states(server) if (slot := parse_slot_file(data))]
    except Away:
        raise
    except RecoveryError as trouble:
        unknown.append(f"its slots: {trouble.message}")
    if clone is None:
        return NotInWal(tuple(slots), unknown=tuple(unknown))
    unlogged, more = _unlogged(clone)
    subscriptions = parse_subscriptions(clone.cluster[1].value or ()) if clone.cluster else ()
    return NotInWal(tuple(slots), unlogged, subscriptions, unknown=(*unknown, *more), databases=len(clone.by_database))


def _found(live: _Said, clone: _Said | None) -> NotInWal:
    slots, subscriptions, pending, statements, prepared = (answer.value for answer in live.cluster)
    unlogged, unknown = _unlogged(live)
    for what, answer in zip(
        ("slots", "subscriptions", "settings", "counters", "prepared transactions"), live.cluster, strict=True
    ):
        if answer.error is not None:
            unknown.append(f"{what}: {_why(answer.error)}")
    sequences, more = _sequences(live, clone) if clone is not None else ((), [])
    return NotInWal(
        parse_slots(slots or ()),
        unlogged,
        parse_subscriptions(subscriptions or ()),
        sequences,
        tuple(f"{row['gid']} (database {row['database']})" for row in prepared or ()),
        tuple(pending or ()),
        bool(statements),
        (*unknown, *more),
        len(live.by_database),
    )


def _unlogged(said: _Said) -> tuple[tuple[Unlogged, ...], list[str]]:
    found, unknown = list[Unlogged](), list[str]()
    for name, (answer, _) in _both(said):
        if answer.error is not None:
            unknown.append(f"unlogged tables of database {name}: {_why(answer.error)}")
        found += parse_unlogged(name, answer.value or ())
        if len(answer.value or ()) >= MOST_UNLOGGED:
            unknown.append(f"unlogged tables of database {name} beyond the first {MOST_UNLOGGED}")
    return tuple(found), unknown


def _sequences(live: _Said, clone: _Said) -> tuple[tuple[GoesBack, ...], list[str]]:
    then = {name: answers[1] for name, answers in _both(clone)}
    found, unknown = list[GoesBack](), list[str]()
    for name, (_, now) in _both(live):
        other = then.get(name)
        if now.error is not None or other is None or other.error is not None:
            trouble = now.error or (other.error if other else None)
            unknown.append(f"sequences of database {name}: {trouble.detail if trouble else 'it is not on the clone'}")
            continue
        values: Mapping[str, Any] = now.value or {}
        found += going_back(name, values, other.value or {})
        if len(values) >= MOST_SEQUENCES:
            unknown.append(f"sequences of database {name} beyond the first {MOST_SEQUENCES}")
    return tuple(found), unknown


def _both(said: _Said) -> list[tuple[str, tuple[QueryResult, QueryResult]]]:
    return [(name, (given[0], given[1])) for name, given in said.by_database.items() if len(given) == 2]
