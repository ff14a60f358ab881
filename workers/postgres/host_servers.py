"""`PostgresServers` on a real Docker host: the live server's main process, and the clone's server in its container."""

from __future__ import annotations

from typing import Any

from docker.errors import NotFound

from actions.engine.errors import RecoveryError
from actions.postgres.server import Server
from actions.tools.names import Names
from actions.tools.postgres_servers import CloneSpec, Process
from workers.docker.confirmations import confirm, confirm_host
from workers.docker.daemon import host_of, remove, stop_gently
from workers.docker.errors import speaking
from workers.postgres import main_process, standby_mark, wal_segments
from workers.postgres.clone import clone_options, is_clone


class HostServers:
    """The servers of one Docker host."""

    def __init__(self, client: Any, names: Names) -> None:
        self._client, self._names = client, names

    def process(self, name: str, id: str) -> Process | None:
        return main_process.find(self._client.api, confirm(self._client, name, id).id)

    def run_clone(self, server: Server, names: Names, spec: CloneSpec) -> None:
        confirm_host(host_of(self._client), server.host)
        # The live container may be stopped, but it must still be the one of the plan: the clone is made like it.
        live = confirm(self._client, server.service, server.container)
        there = self._clone(names)
        if there is not None and there.status == "running":
            return
        if there is not None:
            self.remove_clone(names)
        with speaking("starting the clone's server"):
            image = self._client.api.inspect_image(server.image_id)
            self._client.containers.create(**clone_options(live.attrs, image, server, names, spec)).start()

    def mark_standby(self, server: Server) -> None:
        standby_mark.lay(self._client, server)

    def is_marked(self, server: Server) -> bool:
        return standby_mark.lies(self._client, server)

    def unmark_standby(self, server: Server) -> None:
        standby_mark.remove(self._client, server, self._names)

    def read_segment(self, server: Server, name: str) -> bytes:
        return wal_segments.read(self._client, server, name)

    def lay_segment(self, server: Server, name: str, data: bytes) -> None:
        wal_segments.lay(self._client, server, name, data)

    def segment_digest(self, server: Server, name: str) -> str:
        return wal_segments.digest(self._client, server, name)

    def stop_clone(self, names: Names, seconds: int = 120) -> None:
        there = self._clone(names)
        if there is not None:
            stop_gently(there, seconds)

    def remove_clone(self, names: Names) -> None:
        there = self._clone(names)
        if there is None:
            return
        # Nothing of it is needed any more, and one that does not stop must not hold up what brings the service back.
        remove(self._client, there.id, "the clone's container")

    def _clone(self, names: Names) -> Any:
        with speaking("looking at the clone's container"):
            try:
                found = self._client.containers.get(names.clone)
            except NotFound:
                return None
        if not is_clone(found.labels, names):
            raise RecoveryError(
                f"A container named {names.clone} exists, and this run did not make it.",
                code="MD-DK-006",
                detail=f"Its id is {found.id[:12]}.",
                hint="Rename it, then retry.",
            )
        return found
