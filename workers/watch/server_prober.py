"""Probes one server: Docker's word for its container, and a query over a session that stays open within it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from actions.control.requests import Subject
from actions.engine.errors import Away, RecoveryError
from actions.postgres.server import Server
from actions.tools.docker import Container
from actions.tools.folders import DataHome
from actions.watch.server_probe import ProbeAnswer, ServerProbe
from workers.docker.containers import DockerHost
from workers.docker.errors import TakenDown, speaking
from workers.postgres import main_process
from workers.postgres.probe_session import LONGEST, ProbeReply, ProbeSession, SessionEnded
from workers.postgres.server_access import Accesses

ANSWER_SECONDS = 1.5
"""How long a probe waits for its answer; one that comes later is that of the next probe."""
_GIVEN_UP = 8.0
"""A query that has waited for so many seconds is asked again in another session: this one's connection may be broken,
which is no sign of death."""
_FAST_STOPS = ("SIGINT", "SIGQUIT", "2", "3")


@dataclass
class ServerProber:
    """One server of a site. `user` is whom it is asked as; `docker` gives the site's Docker, and may raise."""

    subject: Subject
    user: str
    docker: Callable[[], DockerHost]
    clock: Callable[[], datetime]
    every: float
    _session: ProbeSession | None = None
    _host: DockerHost | None = None
    _holds_up: bool = False

    def __post_init__(self) -> None:
        self._accesses = Accesses()

    @property
    def holds_up_a_stop(self) -> bool:
        """Whether its open session would keep a stop waiting: the container is told to wait for those connected."""
        return self._session is not None and self._holds_up

    def probe(self) -> ServerProbe:
        """Look once; it takes as long as an answer does, and little more than `ANSWER_SECONDS`."""
        try:
            return self._open_session() or self._anew()
        except TakenDown as down:
            self.rest()
            return self._seen("restarting", ProbeAnswer.NONE, said=down.detail or down.said)
        except Away as away:
            self.leave()
            return self._seen("", ProbeAnswer.NONE, said=f"{away.said} {away.detail}".strip())
        except RecoveryError as trouble:
            self.rest()
            return self._silent(f"{trouble.said} {trouble.detail}".strip())

    def rest(self) -> None:
        """End the session; the next probe opens another one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def leave(self) -> None:
        """Let go of Docker, too."""
        self.rest()
        if self._host is not None:
            self._host.client.close()
            self._host = None

    def _open_session(self) -> ServerProbe | None:
        """By the session that is open; None where there is none, or not any more."""
        session = self._session
        if session is None:
            return None
        if session.waited > _GIVEN_UP or time.monotonic() - session.opened > LONGEST * 0.9:
            self.rest()
            return None
        try:
            reply = session.ask(ANSWER_SECONDS)
        except SessionEnded:
            self.rest()
            return None
        return self._of(reply, session) if reply is not None else self._silent("", session.waited)

    def _anew(self) -> ServerProbe:
        found = self._found()
        if found is None or found.state != "running":
            return self._silent("", found=found)
        process = main_process.find(self._api, found.id)
        if process is None:
            return self._silent("no server process runs in it", found=found)
        server = _server(found, self.subject.service, process.data, self.user)
        access = self._accesses.to(self._client, found.name, server)
        with speaking(f"looking at {found.name}"):
            told = self._api.inspect_container(found.id)["Config"]
        self._holds_up = str(told.get("StopSignal") or "SIGTERM") not in _FAST_STOPS
        try:
            session = self._session = ProbeSession(access, server)
            reply = session.ask(ANSWER_SECONDS)
        except SessionEnded as ended:
            self.rest()
            if ended.accepts:
                return self._seen("running", ProbeAnswer.WRONG, said=str(ended))
            return self._silent(str(ended))
        return self._of(reply, session) if reply is not None else self._silent("", session.waited)

    def _of(self, reply: ProbeReply, session: ProbeSession) -> ServerProbe:
        # Who answers from within a container proves that it runs.
        if reply.replication is None:
            return self._seen("running", ProbeAnswer.WRONG, reply.seconds, reply.wrong)
        return replace(self._seen("running", ProbeAnswer.RIGHT, reply.seconds), replication=reply.replication)

    def _silent(self, said: str, waited: float = 0.0, found: Container | None = None) -> ServerProbe:
        """Without an answer: what Docker says of the container."""
        found = found or self._found()
        if found is None:
            return self._seen("gone", ProbeAnswer.NONE)
        if not found.alive:
            self.rest()
            return self._seen(found.state, ProbeAnswer.NONE, said=said or f"exit code {found.exit_code}")
        return self._seen(found.state, ProbeAnswer.NONE, waited, said)

    def _seen(self, container: str, answer: ProbeAnswer, latency: float = 0.0, said: str = "") -> ServerProbe:
        return ServerProbe(
            self.subject.site,
            self.subject.service,
            self.clock(),
            container,
            answer,
            round(latency, 3),
            " ".join(said.split())[:300],
            every=self.every,
        )

    def _found(self) -> Container | None:
        return self._docker().find(self.subject.service)

    def _docker(self) -> DockerHost:
        self._host = self._host or self.docker()
        return self._host

    @property
    def _client(self) -> Any:
        return self._docker().client

    @property
    def _api(self) -> Any:
        return self._client.api


def _server(found: Container, service: str, data: str, user: str) -> Server:
    """As much of a server as is needed to ask it."""
    return Server(
        service=found.name or service,
        host=found.host,
        container=found.id,
        image=found.image,
        image_id=found.image_id,
        command=found.command,
        restart_policy=found.restart_policy,
        home=DataHome("", "", data),
        archive="",
        bases="",
        inside_archive="",
        inside_bases="",
        user=user,
        database="postgres",
        version=0,
        system_identifier="",
        timeline=0,
        segment_size=0,
    )
