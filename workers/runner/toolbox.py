"""The toolbox: opens the real tools for carrying one run out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine import notes
from actions.engine.errors import RecoveryError
from actions.engine.run import Run
from actions.engine.store import Store
from actions.postgres.server import Names
from actions.settings.settings import Settings
from actions.settings.site import SiteConfig
from actions.stack.choose import must_be_told_of
from actions.stack.stack import Service, ServiceKind
from workers.docker.client import connect
from workers.docker.containers import DockerHost
from workers.docker.errors import speaking
from workers.docker.helper import LOOKS
from workers.postgres.container_sql import ContainerSql
from workers.postgres.host_files import HostFiles
from workers.postgres.server_access import Accesses
from workers.runner.polling import RealPolling
from workers.runner.throughput import HostThroughput, JournalTimes
from workers.stack_web import StackWeb

log = structlog.get_logger("mayday.toolbox")


class DockerToolbox:
    """Tools on one Docker host. `docker_host` is an address such as tcp://…; empty for the environment's.

    `services` are those of the site, as the stack tells them.
    """

    def __init__(self, store: Store, site: SiteConfig, docker_host: str = "", services: Sequence[Service] = ()) -> None:
        self._store, self._site, self._docker_host, self._services = store, site, docker_host, services
        self._accesses = Accesses()
        self._times = JournalTimes(store)

    @contextmanager
    def open(self, run: Run) -> Iterator[dict[str, Any]]:
        """The tools, with whatever a killed worker of this run left in its helper ended first.

        Raises:
            Refused: the run is about a PostgreSQL of which these settings do not tell.
            RecoveryError: Docker does not answer.
        """
        if any(one.name == run.service and one.kind is ServiceKind.POSTGRES for one in self._services):
            must_be_told_of(run.service, self._site.postgres)
        client = _connected(self._docker_host)
        if not run.id.startswith(LOOKS):
            client.api.answered = partial(self._answered, run.id)
        names = Names(run.id)
        files, web = HostFiles(client, names, self._accesses), StackWeb()
        try:
            if run.began:
                files.fresh()
            yield {
                "docker": DockerHost(client, self._services),
                "files": files,
                "sql": ContainerSql(client, self._accesses),
                "web": web,
                "throughput": HostThroughput(self._store, run, self._times),
                "polling": RealPolling(),
                "site": self._site,
                "names": names,
            }
        finally:
            self._tidy(run, files)
            web.close()
            client.close()

    def _answered(self, run: str) -> None:
        try:
            notes.docker_answers(self._store, run)
        except SQLAlchemyError as away:
            log.warning("the store does not answer", run=run, detail=str(away)[:200])

    def _tidy(self, run: Run, files: HostFiles) -> None:
        try:
            files.close()
        except RecoveryError as left:  # What was done is on the record; a helper left over is no failure of it.
            log.warning("the helper container was left", run=run.id, detail=left.message)


def docker_toolbox(settings: Settings, store: Store) -> DockerToolbox:
    """The tools on the default site of the settings."""
    return DockerToolbox(store, settings.site.site(), settings.site.docker_host, settings.stack()[0].services)


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
