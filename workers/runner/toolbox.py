"""The toolbox: opens the real tools for carrying one run out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import RecoveryError, Refused
from actions.engine.run import Run
from actions.settings.settings import Settings
from actions.settings.site import SiteConfig
from actions.stack.choose import site_named, untold
from actions.stack.stack import Service, ServiceKind, Site
from actions.store import notes
from actions.store.store import Store
from actions.tools.names import Names
from actions.tools.registry import SiteTools
from actions.watch.compose_project import remembered
from workers.docker.client import connect
from workers.docker.containers import DockerHost
from workers.docker.errors import speaking
from workers.docker.helper import LOOKS
from workers.docker.host_folders import HostFolders
from workers.docker.networks import HostNetworks
from workers.postgres.container_sql import ContainerSql
from workers.postgres.host_files import HostFiles
from workers.postgres.host_servers import HostServers
from workers.postgres.host_standbys import HostStandbys
from workers.postgres.server_access import Accesses
from workers.runner.polling import RealPolling
from workers.runner.private_answer import StorePrivateAnswer
from workers.runner.store_clusters import StoreClusters
from workers.runner.throughput import HostThroughput, JournalTimes
from workers.stack_web import StackWeb

log = structlog.get_logger("mayday.toolbox")


@dataclass(frozen=True)
class HostTools(SiteTools):
    """The tools of one site on its real Docker host, of which the worker itself asks more than steps do."""

    docker: DockerHost


class DockerToolbox:
    """Tools on one Docker host. `docker_host` is an address such as tcp://…; empty for the environment's.

    `services` are those of the site, as the stack tells them. `site` is its own PostgreSQL, for runs that are about
    another service; `others` are those of its other servers. `project` is the Compose project of the services, empty
    for the one that was last seen. `settings` tell which servers belong together.
    """

    def __init__(
        self,
        store: Store,
        site: SiteConfig,
        docker_host: str = "",
        services: Sequence[Service] = (),
        others: Sequence[SiteConfig] = (),
        project: str = "",
        settings: Settings | None = None,
    ) -> None:
        self._given, self._clusters = project, StoreClusters(store, settings)
        self._store, self._site, self._docker_host, self._services = store, site, docker_host, services
        self._servers = {one.postgres: one for one in (*others, site)}
        self._accesses = Accesses()
        self._times = JournalTimes(store)

    @contextmanager
    def open(self, run: Run) -> Iterator[HostTools]:
        """The tools, with whatever a killed worker of this run left in its helper ended first.

        Raises:
            Refused: the run is about a PostgreSQL of which these settings do not tell.
            RecoveryError: Docker does not answer.
        """
        site = self._told(run)
        client = _connected(self._docker_host)
        if not run.id.startswith(LOOKS):
            client.api.answered = partial(self._answered, run.id)
        names = Names(run.id, self._site.name if run.site != self._site.name else "")
        files, web = HostFiles(client, names, self._accesses), StackWeb()
        folders, standbys = HostFolders(client, names, files.helper), HostStandbys(client, names, self._accesses)
        try:
            if run.began:
                files.fresh()
                folders.fresh()
                standbys.fresh()
            yield HostTools(
                docker=DockerHost(client, self._services, self._project()),
                networks=HostNetworks(client),
                folders=folders,
                files=files,
                servers=HostServers(client, names),
                standbys=standbys,
                sql=ContainerSql(client, self._accesses),
                web=web,
                throughput=HostThroughput(self._store, self._site.name, run, self._times),
                polling=RealPolling(),
                private=StorePrivateAnswer(self._store, run.id),
                clusters=self._clusters,
                site=site,
                names=names,
            )
        finally:
            self._tidy(run, files, folders, standbys)
            web.close()
            client.close()

    def _project(self) -> str:
        return self._given or remembered(self._store, self._site.name)

    def _told(self, run: Run) -> SiteConfig:
        if run.site != self._site.name:
            # For a run of another site it is the second one, and the service the one here that it is about too.
            return self._servers.get(run.service, self._site)
        told = self._servers.get(run.service)
        if told is None and any(one.name == run.service and one.kind is ServiceKind.POSTGRES for one in self._services):
            raise untold(run.service)
        return told or self._site

    def _answered(self, run: str) -> None:
        try:
            notes.docker_answers(self._store, run)
        except SQLAlchemyError as away:
            log.warning("the store does not answer", run=run, detail=str(away)[:200])

    def _tidy(self, run: Run, *opened: HostFiles | HostFolders | HostStandbys) -> None:
        for one in opened:
            try:
                one.close()
            except RecoveryError as left:  # What was done is on the record; a helper left over is no failure of it.
                log.warning("the helper container was left", run=run.id, detail=left.message)


def docker_toolbox(settings: Settings, store: Store, name: str = "") -> DockerToolbox:
    """The tools on a site of the settings, or on the default one, for whoever serves it.

    A site without a docker_host is on the Docker of this process's own host: whoever is told to serve it says so.

    Raises:
        Refused: the settings do not know that site.
    """
    site = site_named(settings.stack(), name)
    own = settings.own_server(site.name)
    return DockerToolbox(store, own, site.docker, site.services, settings.servers(site.name), site.project, settings)


def site_reached(settings: Settings, name: str) -> Site:
    """A site that a process which was told nothing may take for the one that it reaches.

    Raises:
        Refused: the settings do not know it, or do not tell the address of its Docker. What answers here is another
            site's, and its containers may have the same names.
    """
    found = site_named(settings.stack(), name)
    if found.name == settings.site.name or found.docker:
        return found
    here = ", ".join(site.name for site in settings.stack() if site.docker or site.name == settings.site.name)
    raise Refused(
        f"The Docker of the site '{name}' cannot be reached with these settings.",
        code="MD-RUN-042",
        detail=f"They reach: {here}.",
        hint=f"Give it a docker_host under [[sites]], or use the settings of which '{name}' is the [site].",
    )


def second_toolbox(settings: Settings, store: Store, name: str) -> DockerToolbox:
    """The tools on a site by its name, for a run of another one.

    Raises:
        Refused: the settings do not tell of it, or not where its Docker is.
    """
    return docker_toolbox(settings, store, site_reached(settings, name).name)


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
