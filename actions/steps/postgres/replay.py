"""Replaying the clone to the target and proving, from three sides, that it stopped just there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actions.clock.times import spell
from actions.engine.errors import Away, RecoveryError
from actions.engine.facts import volatile
from actions.postgres.controldata import parse_controldata
from actions.postgres.live_server import Live
from actions.postgres.lsn import Lsn, format_lsn, parse_lsn
from actions.postgres.preload import as_settings
from actions.postgres.recovery_conf import CloneLimits, as_flags, clone_settings
from actions.postgres.server import Server
from actions.postgres.stops import Stop, is_proof
from actions.settings.site import SiteConfig
from actions.steps.postgres.ask_live import chosen
from actions.steps.postgres.find_tablespaces import Tablespaces
from actions.steps.postgres.target import Aim, Base
from actions.tools.docker import Docker
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.postgres_servers import CloneSpec, PostgresServers
from actions.tools.progress import Progress
from actions.tools.sql import NotServing, Sql
from actions.tools.throughput import Throughput

_STATE = (
    "select pg_is_in_recovery() as recovering, "
    "case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() else '' end as pause, "
    "pg_last_wal_replay_lsn()::text as lsn, pg_last_xact_replay_timestamp() as last_at"
)
_STATE_13 = _STATE.replace("pg_get_wal_replay_pause_state()", "case when pg_is_wal_replay_paused() then 'paused' end")
_SIGNS = (
    (
        "recovery ended before configured recovery target was reached",
        "The WAL ends before the target.",
        "A segment is missing or damaged; bring it back into the archive, or choose an earlier moment.",
    ),
    (
        "requested recovery stop point is before consistent recovery point",
        "The base backup is too new for the target.",
        "Undo and ask again; an older backup is chosen then.",
    ),
    (
        "insufficient parameter settings",
        "The clone was started with settings smaller than the server's.",
        "Undo and ask again.",
    ),
    (
        "could not locate required checkpoint record",
        "The WAL of the base backup's start is missing.",
        "Bring back the segment of the backup's start, or use another backup.",
    ),
    (
        "resource manager with ID",
        "The WAL was written by an extension that the clone does not load.",
        "Name its library in `site.clone_libraries` (the log names the record's kind), Undo and ask again.",
    ),
    (
        "could not access file",
        "A library that the clone loads is not there.",
        "See that the server's image holds it and its mounts are there; then Undo and ask again.",
    ),
    ("No space left on device", "The disk is full.", "Make room, then Retry."),
)


@dataclass(frozen=True)
class StopReached:
    """Where the clone stands, paused: proven against what the plan predicted."""

    lsn: str
    last_commit_at: datetime | None
    said: str

    def says(self) -> str:
        """The proof in one line."""
        return self.said


@dataclass(frozen=True)
class CloneState:
    """What the clone says of itself."""

    recovering: bool
    paused: bool
    lsn: Lsn
    last_at: datetime | None = volatile(default=None)


def replay(
    aim: Aim,
    base: Base,
    server: Server,
    tablespaces: Tablespaces,
    live: Live,
    site: SiteConfig,
    names: Names,
    docker: Docker,
    files: PostgresFiles,
    servers: PostgresServers,
    sql: Sql,
    throughput: Throughput,
    polling: Polling,
    progress: Progress,
) -> None:
    """Start the clone, alone, and wait until it has stopped at the target."""
    began = polling.seconds()
    spec = CloneSpec(clone_flags(aim, server, live, site, names, docker, files))
    servers.run_clone(tablespaces.on(server), names, spec)

    def stopped() -> bool:
        state = _look(server, names, docker, sql)
        if state is not None:
            _show(state, base, server, progress)
        else:
            progress(0, 0, "the clone is starting")
        return state is not None and state.paused

    # Without an end of its own: the act's limit and a person's stop take hold in progress.
    while not polling.until(stopped, seconds=60, every=0.2):
        progress(0, 0, "replaying")
    throughput.note("replay", base.wal_bytes(server.segment_size), polling.seconds() - began)


def clone_flags(
    aim: Aim, server: Server, live: Live, site: SiteConfig, names: Names, docker: Docker, files: PostgresFiles
) -> tuple[str, ...]:
    """The whole command line of the clone's server: what recovery needs, and what its extensions need."""
    readable = (names.clone_leaf(server.home), *([] if server.control_damaged else [server.home.leaf]))
    controls = [parse_controldata(files.control(server, leaf)) for leaf in readable]
    limits = CloneLimits.of(docker.memory(), *controls)
    place = ("data_directory", server.home.inside)
    settings = clone_settings(server.version, limits, aim.stop, aim.timeline)
    return tuple(as_flags((*as_settings(chosen(live, site)), place, *settings)))


def _show(state: CloneState, base: Base, server: Server, progress: Progress) -> None:
    done = max(0, state.lsn - base.start_lsn)
    progress(done, max(done, base.wal_bytes(server.segment_size)), f"replayed to {format_lsn(state.lsn)}")


def _look(server: Server, names: Names, docker: Docker, sql: Sql) -> CloneState | None:
    """The clone's own word; None while it does not let anybody in yet.

    Raises:
        RecoveryError: it ended, or does not answer for another reason than that it starts.
    """
    try:
        return clone_state(server, names, sql)
    except Away:
        raise
    except RecoveryError as silent:
        container = docker.find(names.clone)
        if container is None or container.state in ("exited", "dead"):
            raise _gave_up(docker.logs(names.clone, 30) if container else "") from None
        # Its own folder of sockets stands before recovery begins, so a server that is not there yet will be.
        if isinstance(silent, NotServing):
            return None
        raise


def _gave_up(log: str) -> RecoveryError:
    last = "\n".join(log.splitlines()[-12:])
    for sign, message, hint in _SIGNS:
        if sign in log:
            return RecoveryError(message, detail=last, hint=hint)
    return RecoveryError(
        "The clone's server ended before it reached the target.",
        detail=last,
        hint="The live data is untouched. Retry, or Undo and look at the log above.",
    )


def clone_state(server: Server, names: Names, sql: Sql) -> CloneState:
    """Ask the clone where it stands.

    Raises:
        RecoveryError: it does not answer.
    """
    row = sql.rows(names.clone, server, _STATE if server.version >= 14 else _STATE_13, seconds=10)[0]
    at = datetime.fromisoformat(row["last_at"]) if row["last_at"] else None
    lsn = parse_lsn(row["lsn"]) if row["lsn"] else Lsn(0)
    return CloneState(bool(row["recovering"]), row["pause"] == "paused", lsn, at)


def stopped_at_target(aim: Aim, server: Server, names: Names, sql: Sql) -> bool:
    """Whether the clone is paused just where the plan said."""
    state = clone_state(server, names, sql)
    return state.recovering and state.paused and stands(aim.stop, state)


def stands(stop: Stop, state: CloneState) -> bool:
    """Whether the clone replayed just to the predicted place."""
    return is_proof(stop, state.lsn, state.last_at)


def prove_stop(aim: Aim, server: Server, names: Names, docker: Docker, sql: Sql) -> StopReached:
    """The proof: the position, the last transaction, and the server's own log agree with the plan.

    Raises:
        RecoveryError: they do not; nothing was swapped.
    """
    state = clone_state(server, names, sql)
    log = docker.logs(names.clone, 400)
    wanted = aim.stop
    reasons = []
    if not stands(wanted, state):
        last = f", its last transaction is of {spell(state.last_at)}" if state.last_at else ""
        reasons.append(f"it stands at {format_lsn(state.lsn)}, not {wanted.text}{last}")
    # This line alone tells a target that was met from one that the server passed over.
    if "recovery stopping" not in log:
        reasons.append("its log does not say that it stopped at a target")
    if reasons:
        raise RecoveryError(
            "The clone did not stop where the plan said.",
            detail="; ".join(reasons) + ".",
            hint="Do not use it. Undo, and ask again with a position (before lsn …).",
        )
    said = f"stopped {wanted.text}"
    kept = f", last commit {spell(wanted.last_commit_at)}" if wanted.last_commit_at else ""
    return StopReached(format_lsn(state.lsn), wanted.last_commit_at, said + kept)


def remove_clone_server(names: Names, servers: PostgresServers) -> None:
    """End and remove the clone's container, whatever it is doing; its directory stays."""
    servers.remove_clone(names)


def clone_server_is_gone(names: Names, docker: Docker) -> bool:
    """Whether the clone's container is no more."""
    return docker.find(names.clone) is None
