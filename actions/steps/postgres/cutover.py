"""The cut-over: promote the clone while it is still alone, stop the old server, swap by rename, start."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions.engine.errors import Away, RecoveryError
from actions.postgres.controldata import CLEANLY_STOPPED, ControlData, parse_controldata
from actions.postgres.live_server import Live
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.find_tablespaces import Tablespaces
from actions.steps.postgres.keep_configuration import WITH_BACKUPS
from actions.steps.postgres.replay import clone_flags, clone_state, stands
from actions.steps.postgres.target import Aim
from actions.tools.docker import Docker
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.postgres_servers import CloneSpec, PostgresServers
from actions.tools.progress import Progress
from actions.tools.sql import LoginRefused, NotServing, Sql

_READY_SECONDS = 90.0


def promote(
    aim: Aim,
    server: Server,
    tablespaces: Tablespaces,
    live: Live,
    site: SiteConfig,
    names: Names,
    docker: Docker,
    files: PostgresFiles,
    servers: PostgresServers,
    sql: Sql,
    polling: Polling,
    progress: Progress,
) -> None:
    """Promote the clone, alone as it is, so that the cut-over itself is only a rename and a start."""
    if not _answers(server, names, sql):
        spec = CloneSpec(clone_flags(aim, server, live, site, names, docker, files))
        servers.run_clone(tablespaces.on(server), names, spec)
        if not polling.until(lambda: _standing(aim, server, names, sql), seconds=_READY_SECONDS):
            raise RecoveryError(
                "The clone's server does not come back to its stopping point.",
                detail=docker.logs(names.clone, 15),
                hint="Retry, or Undo.",
            )
    progress(0, 1, "promoting")
    state = clone_state(server, names, sql)
    if state.recovering:
        if not stands(aim.stop, state):
            raise RecoveryError("The clone no longer stands where it was shown.", hint="Undo, and ask again.")
        sql.rows(names.clone, server, "select pg_promote(true, 60) as promoted", seconds=70)
    # The control file, by which the promotion is verified, names the new timeline only after a checkpoint.
    sql.rows(names.clone, server, "checkpoint", seconds=120)


def _answers(server: Server, names: Names, sql: Sql) -> bool:
    try:
        clone_state(server, names, sql)
    except NotServing:
        return False
    return True


def _standing(aim: Aim, server: Server, names: Names, sql: Sql) -> bool:
    """Whether the clone is paused at its stopping point, or was promoted before."""
    try:
        state = clone_state(server, names, sql)
    except NotServing:
        return False
    return not state.recovering or (state.paused and stands(aim.stop, state))


def is_promoted(aim: Aim, server: Server, names: Names, files: PostgresFiles, sql: Sql) -> bool:
    """Whether the clone accepts writes on a timeline of its own."""
    state = clone_state(server, names, sql)
    return not state.recovering and _control(server, names, files).timeline > aim.timeline


def _control(server: Server, names: Names, files: PostgresFiles) -> ControlData:
    return parse_controldata(files.control(server, names.clone_leaf(server.home)))


def stop_clone(server: Server, names: Names, files: PostgresFiles, servers: PostgresServers) -> None:
    """Stop the clone in good order and have its history file archived once it is in service.

    Its container goes last: that it is gone says that all of this was done.
    """
    servers.stop_clone(names)
    timeline = _control(server, names, files).timeline
    files.archive_history(server, names, f"{timeline:08X}.history")
    servers.remove_clone(names)


def clone_is_stopped(aim: Aim, server: Server, names: Names, docker: Docker, files: PostgresFiles) -> bool:
    """Whether the clone was shut down cleanly on its own timeline, and nothing of its server is left."""
    control = _control(server, names, files)
    gone = docker.find(names.clone) is None
    return gone and control.state in CLEANLY_STOPPED and control.timeline > aim.timeline


def stop_live(server: Server, docker: Docker, sql: Sql) -> None:
    """Stop the old server in good order, and keep it from being started again meanwhile."""
    docker.set_restart(server.service, server.container, "no")
    # Docker's own ten seconds could end in a kill before a large server has shut down in good order.
    docker.stop(server.service, server.container, 120)


def live_is_stopped(server: Server, docker: Docker) -> bool:
    """Whether the old server has ended."""
    container = docker.find(server.service)
    return container is not None and container.id == server.container and container.state in ("exited", "created")


def start_live(server: Server, docker: Docker, sql: Sql, polling: Polling) -> None:
    """Start the server's container on whatever its directory is now, with its old restart policy."""
    docker.start(server.service, server.container)
    docker.set_restart(server.service, server.container, server.restart_policy)
    if not polling.until(lambda: _ready(server, sql), seconds=_READY_SECONDS, every=0.2):
        raise RecoveryError(
            f"{server.service} was started but does not accept connections.",
            detail=_last_words(server, docker, sql),
            hint="Retry waits on; Undo brings the old data back. Where the log names a setting, ask again and choose "
            f"'{WITH_BACKUPS}'.",
        )
    # A checkpoint wakes the checkpointer, which else may sleep through archive_timeout for minutes after a start.
    sql.rows(server.service, server, "checkpoint", seconds=120)


def bring_back_live(server: Server, docker: Docker, sql: Sql, polling: Polling) -> None:
    """The old server as it was before: served if it ran; one that was down or crash-looping is not waited for."""
    if server.state == "running":
        start_live(server, docker, sql, polling)
        return
    docker.set_restart(server.service, server.container, server.restart_policy)
    if server.state == "restarting":
        docker.start(server.service, server.container)


def _ready(server: Server, sql: Sql) -> bool:
    try:
        return bool(sql.rows(server.service, server, "select 1 as one", seconds=5))
    except Away:
        raise
    except RecoveryError:
        return False


def _last_words(server: Server, docker: Docker, sql: Sql) -> str:
    """Why it does not let anybody in: what it says itself, else its log."""
    try:
        sql.rows(server.service, server, "select 1 as one", seconds=5)
    except LoginRefused as refused:
        return refused.detail
    except RecoveryError:
        pass
    return docker.logs(server.service, 20)


def live_is_ready(server: Server, docker: Docker, sql: Sql) -> bool:
    """Whether the server accepts connections and would be started again by Docker as before."""
    container = docker.find(server.service)
    return container is not None and container.restart_policy == server.restart_policy and _ready(server, sql)


def stop_started(server: Server, docker: Docker) -> None:
    """Stop the server again, before its directory is swapped back."""
    docker.set_restart(server.service, server.container, "no")
    docker.stop(server.service, server.container, 120)


def swap(
    server: Server, tablespaces: Tablespaces, names: Names, site: SiteConfig, now: datetime, files: PostgresFiles
) -> None:
    """Rename the old directories away and the clone's into their places.

    Until it was stopped the old server archived on, also what the clone's archiver was offered.
    """
    if files.leaves(server, names).clone:
        files.withdraw_archived(server, names)
    files.swap(
        tablespaces.on(server),
        names,
        {"run": names.run, "why": "replaced by a point-in-time recovery", "kept_until": keep_until(site, now)},
    )


def keep_until(site: SiteConfig, now: datetime) -> str:
    """Until when old data is promised to stay; a person removes it then, nobody else."""
    return (now + timedelta(days=site.kept_days)).date().isoformat()


def clone_is_live(server: Server, tablespaces: Tablespaces, names: Names, files: PostgresFiles) -> bool:
    """Whether the clone's directory and all of its tablespaces are the live ones and the old ones are kept."""
    leaves = files.leaves(tablespaces.on(server), names)
    swapped = all(state == "new" for state in leaves.tablespaces)
    return swapped and leaves.live and leaves.before and not leaves.clone and leaves.live_is_clone_of == names.run


def swap_back(server: Server, tablespaces: Tablespaces, names: Names, files: PostgresFiles) -> None:
    """The old directories back into their places; the clone's beside them again."""
    files.swap_back(tablespaces.on(server), names)
