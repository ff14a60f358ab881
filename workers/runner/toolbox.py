"""The toolbox: opens the real tools for carrying one run out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine import notes
from actions.engine.errors import RecoveryError, Refused
from actions.engine.run import Run
from actions.engine.store import Store
from actions.settings.settings import Settings
from actions.settings.site import SiteConfig
from actions.stack.choose import must_be_told_of
from actions.stack.stack import Service, ServiceKind
from actions.tools.names import Names
from actions.tools.registry import SiteTools
from workers.docker.client import connect
from workers.docker.containers import DockerHost
from workers.docker.errors import speaking
from workers.docker.helper import LOOKS
from workers.docker.host_folders import HostFolders
from workers.postgres.container_sql import ContainerSql
from workers.postgres.host_files import HostFiles
from workers.postgres.host_servers import HostServers
from workers.postgres.server_access import Accesses
from workers.runner.polling import RealPolling
from workers.runner.throughput import HostThroughput
from workers.stack_web import StackWeb

log = structlog.get_logger("mayday.toolbox")


@dataclass(frozen=True)
class HostTools(SiteTools):
    """The tools of one site on its real Docker host, of which the worker itself asks more than steps do."""

    docker: DockerHost


class DockerToolbox:
    """Tools on one Docker host. `docker_host` is an address such as tcp://…; empty for the environment's.

    `services` are those of the site, as the stack tells them.
    """

    def __init__(self, store: Store, site: SiteConfig, docker_host: str = "", services: Sequence[Service] = ()) -> None:
        self._store, self._site, self._docker_host, self._services = store, site, docker_host, services
        self._accesses = Accesses()

    @contextmanager
    def open(self, run: Run) -> Iterator[HostTools]:
        """The tools, with whatever a killed worker of this run left in its helper ended first.

        Raises:
            Refused: the run is about a PostgreSQL of which these settings do not tell.
            RecoveryError: Docker does not answer.
        """
        # For a run of another site it is the second one, and the service that the run is about is elsewhere.
        second = run.site != self._site.name
        if not second and any(one.name == run.service and one.kind is ServiceKind.POSTGRES for one in self._services):
            must_be_told_of(run.service, self._site.postgres)
        client = _connected(self._docker_host)
        if not run.id.startswith(LOOKS):
            client.api.answered = partial(self._answered, run.id)
        names = Names(run.id, self._site.name if second else "")
        files, web = HostFiles(client, names, self._accesses), StackWeb()
        folders = HostFolders(client, names, files.helper)
        try:
            if run.began:
                files.fresh()
                folders.fresh()
            yield HostTools(
                docker=DockerHost(client, self._services),
                folders=folders,
                files=files,
                servers=HostServers(client),
                sql=ContainerSql(client, self._accesses),
                web=web,
                throughput=HostThroughput(self._store, self._site.name),
                polling=RealPolling(),
                site=self._site,
                names=names,
            )
        finally:
            self._tidy(run, files, folders)
            web.close()
            client.close()

    def _answered(self, run: str) -> None:
        try:
            notes.docker_answers(self._store, run)
        except SQLAlchemyError as away:
            log.warning("the store does not answer", run=run, detail=str(away)[:200])

    def _tidy(self, run: Run, *opened: HostFiles | HostFolders) -> None:
        for one in opened:
            try:
                one.close()
            except RecoveryError as left:  # What was done is on the record; a helper left over is no failure of it.
                log.warning("the helper container was left", run=run.id, detail=left.message)


def docker_toolbox(settings: Settings, store: Store) -> DockerToolbox:
    """The tools on the default site of the settings."""
    return DockerToolbox(store, settings.site.site(), settings.site.docker_host, settings.stack()[0].services)


def second_toolbox(settings: Settings, store: Store, name: str) -> DockerToolbox:
    """The tools on a site by its name, for a run of another one. Where its backups lie is not known here.

    Raises:
        Refused: the settings do not tell of it, or not where its Docker is.
    """
    default, *others = settings.stack()
    if name == default.name:
        return docker_toolbox(settings, store)
    found = next((one for one in others if one.name == name), None)
    if found is None or not found.docker:
        reached = ", ".join([default.name, *(one.name for one in others if one.docker)])
        raise Refused(
            f"The Docker of the site '{name}' cannot be reached with these settings.",
            detail=f"They reach: {reached}. Nothing was done there.",
            hint=f"Give '{name}' a docker_host under [[sites]], then retry.",
        )
    site = replace(settings.site.site(), name=name, postgres="", archive="", bases="", writers=())
    return DockerToolbox(store, site, found.docker, found.services)


def reach(docker_host: str) -> None:
    """See whether this process may speak to Docker at all.

    Raises:
        RecoveryError: it does not answer, or not to this user.
    """
    client = _connected(docker_host)
    try:
        with speaking("asking whether it is there"):
            client.ping()
    finally:
        client.close()


def _connected(docker_host: str) -> Any:
    with speaking("connecting to it"):
        return connect(docker_host)
