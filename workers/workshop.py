"""The workshop: opens the real tools for carrying one run out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker

from actions.engine.run import Run
from actions.engine.store import Store
from actions.postgres.server import Names
from actions.tools import Site
from workers.daemon import speaking
from workers.docker import DockerHost
from workers.files import HostFiles
from workers.patience import RealPatience
from workers.rates import HostRates
from workers.sql import ContainerSql
from workers.web import StackWeb


class DockerWorkshop:
    """Tools on one Docker host. `docker_host` is an address such as tcp://…; empty for the environment's."""

    def __init__(self, store: Store, site: Site, docker_host: str = "") -> None:
        self._store, self._site, self._docker_host = store, site, docker_host

    @contextmanager
    def open(self, run: Run) -> Iterator[dict[str, Any]]:
        """The tools, with whatever a killed worker of this run left in its helper ended first.

        Raises:
            RecoveryError: Docker does not answer.
        """
        client = self._client()
        names = Names(run.id)
        files, web = HostFiles(client, names), StackWeb()
        try:
            if run.began:
                files.fresh()
            yield {
                "docker": DockerHost(client), "files": files, "sql": ContainerSql(client), "web": web,
                "rates": HostRates(self._store, self._site.name), "patience": RealPatience(), "site": self._site,
                "names": names,
            }  # fmt: skip
        finally:
            files.close()
            web.close()
            client.close()

    def _client(self) -> Any:
        with speaking("connecting to it"):
            if self._docker_host:
                return docker.DockerClient(base_url=self._docker_host)
            return docker.from_env()
