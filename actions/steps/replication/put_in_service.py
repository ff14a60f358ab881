"""Putting the standby in service: its container is stopped, the copy takes the place of its data, and it starts."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions.engine.errors import Away, RecoveryError
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.cutover import keep_until
from actions.tools.docker import Docker
from actions.tools.folders import Folders
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.sql import Sql

_STOP_SECONDS = 120
_READY_SECONDS = 900.0
"""It replays what was written during the copy before it lets anybody in."""
START_LIMIT = timedelta(minutes=20)
_MAINTENANCE = "postgres"


def stop_standby(server: Server, docker: Docker) -> None:
    """Stop it in good order, and keep it from being started again meanwhile."""
    docker.set_restart(server.service, server.container, "no")
    docker.stop(server.service, server.container, _STOP_SECONDS)


def standby_is_stopped(server: Server, docker: Docker) -> bool:
    """Whether it has ended."""
    container = docker.find(server.service)
    return container is not None and container.id == server.container and container.state in ("exited", "created")


def bring_standby_back(server: Server, docker: Docker) -> None:
    """As it was before: started if it ran, with its restart policy."""
    if server.state in ("running", "restarting"):
        docker.start(server.service, server.container)
    docker.set_restart(server.service, server.container, server.restart_policy)


def swap_in(server: Server, names: Names, site: SiteConfig, now: datetime, folders: Folders) -> None:
    """Rename what lay there away, and the copy into its place."""
    why = "replaced by a copy of its primary"
    folders.swap(server.data, names, {"run": names.run, "why": why, "kept_until": keep_until(site, now)})


def copy_is_live(server: Server, names: Names, folders: Folders) -> bool:
    """Whether the copy is the data directory, and what lay there is kept."""
    seen = folders.leaves(server.data, names)
    return seen.live and seen.before and not seen.clone and seen.live_is_clone_of == names.run


def swap_out(server: Server, names: Names, folders: Folders) -> None:
    """What lay there back into its place."""
    folders.swap_back(server.data, names)


def start_standby(server: Server, docker: Docker, sql: Sql, polling: Polling) -> None:
    """Start its container, and wait until its server lets people read.

    Raises:
        RecoveryError: it does not.
    """
    docker.start(server.service, server.container)
    docker.set_restart(server.service, server.container, server.restart_policy)
    polling.until(lambda: _recovering(server, sql) or _down(server, docker), seconds=_READY_SECONDS, every=0.3)
    if not _recovering(server, sql):
        raise RecoveryError(
            f"{server.service} was started, and does not say that it is a standby.",
            code="MD-REP-030",
            detail=_why(server, docker, sql),
            hint="Retry waits on; Undo brings its old data back.",
        )


def standby_is_started(server: Server, docker: Docker, sql: Sql) -> bool:
    """Whether it answers as a standby, and Docker would start it again as before."""
    container = docker.find(server.service)
    return container is not None and container.restart_policy == server.restart_policy and _recovering(server, sql)


def stop_started(server: Server, docker: Docker) -> None:
    """Stop it again, before the copy gives way to the old data."""
    stop_standby(server, docker)


def _recovering(server: Server, sql: Sql) -> bool:
    try:
        found = sql.rows(
            server.service, server, "select pg_is_in_recovery() as recovering", seconds=5, database=_MAINTENANCE
        )
    except Away:
        raise
    except RecoveryError:
        return False
    return bool(found[0]["recovering"])


def _down(server: Server, docker: Docker) -> bool:
    container = docker.find(server.service)
    return container is None or container.state in ("exited", "dead", "restarting")


def _why(server: Server, docker: Docker, sql: Sql) -> str:
    """What it says itself where it lets nobody in, else its log."""
    try:
        sql.rows(server.service, server, "select pg_is_in_recovery() as recovering", seconds=5, database=_MAINTENANCE)
    except Away:
        raise
    except RecoveryError as silent:
        return f"{silent.detail}\n{docker.logs(server.service, 15)}".strip()
    return docker.logs(server.service, 15)
