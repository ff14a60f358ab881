"""One session of psql in a server's container that stays open, so that a probe costs a round trip and nothing more.

Whoever probes every two seconds cannot begin a process in the container each time: that takes a tenth of a second of a
core, this one three thousandths. When the connection to Docker ends, as of a worker that dies, psql sees the end of its
input and ends too; where that does not arrive, `timeout` ends it.
"""

from __future__ import annotations

import json
import struct
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from actions.postgres.replication import REPLICATION_SQL, Replication, read_replication
from actions.postgres.server import Server
from actions.redact import excerpt
from workers.docker.errors import speaking
from workers.docker.stream import STDERR
from workers.postgres.psql_command import PSQL, of_database
from workers.postgres.server_access import Access
from workers.postgres.sql_said import environment
from workers.postgres.sql_session import session_answers

LONGEST = 600
"""Seconds after which a session ends by itself, whatever becomes of whoever opened it."""
_MAINTENANCE = "postgres"
_STATEMENT_SECONDS = 60
_PREPARE = f"PREPARE mayday_probe(bigint) AS SELECT json_build_object('next', $1 + 1, 'told', ({REPLICATION_SQL}));\n"
_ASK = "EXECUTE mayday_probe({number});\n\\echo {mark} :SQLSTATE :LAST_ERROR_MESSAGE\n\\echo {mark}\n"
_HEAD = 8
_MOST_BYTES = 65536
_KEPT_OF_STDERR = 4000


class SessionEnded(Exception):
    """The session is over; its words are what psql said last. `accepts`: the server is there and lets others in."""

    def __init__(self, said: str, *, accepts: bool) -> None:
        super().__init__(said)
        self.accepts = accepts


@dataclass(frozen=True)
class ProbeReply:
    """The answer to one query: what the server says of its replication, or `wrong`, why that is no right answer.

    `seconds` is how long it took.
    """

    seconds: float
    replication: Replication | None = None
    wrong: str = ""


class ProbeSession:
    """An open session. One query is on its way at a time: an answer that comes late is that of its own query.

    Raises:
        RecoveryError: Docker did not open it.
    """

    def __init__(self, access: Access, server: Server) -> None:
        self._mark, self._number = f"mayday.{uuid.uuid4().hex}", 0
        self._out, self._err, self._rest = "", "", b""
        self._sent: float | None = None
        self.opened = time.monotonic()
        argv = ["timeout", "-k", "5", str(LONGEST), *PSQL, *of_database(server, _MAINTENANCE)]
        with speaking("opening a session", access.inside.container):
            api = access.inside.api
            self._raw = api.exec_start(
                access.begin(argv, env=environment(_STATEMENT_SECONDS), server=server), socket=True
            )
        # Over TLS and ssh docker-py gives the socket itself.
        self._socket: Any = getattr(self._raw, "_sock", self._raw)
        # psql begins with the first line, so that nothing it says lies in the buffer in which docker-py leaves it.
        self._write(f"begin\n{_PREPARE}")

    @property
    def waited(self) -> float:
        """For how many seconds the query on its way has been without an answer; 0 where none is."""
        return time.monotonic() - self._sent if self._sent is not None else 0.0

    def ask(self, seconds: float) -> ProbeReply | None:
        """Ask, or go on waiting for the answer to the query before; None where it has not come after so many seconds.

        Raises:
            SessionEnded: there is nobody who would answer any more.
        """
        if self._sent is None:
            self._number += 1
            self._sent = time.monotonic()
            self._write(_ASK.format(number=self._number, mark=self._mark))
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._read(left)
            if self._out.count(self._mark) >= 2:
                return self._reply()
        return None

    def close(self) -> None:
        """End it; psql in the container ends with its input."""
        with suppress(OSError, AttributeError):
            self._socket.close()
        with suppress(OSError, AttributeError):
            self._raw.close()

    def _reply(self) -> ProbeReply:
        took, self._sent = self.waited, None
        [said, *_], self._out = list(session_answers(self._out, self._mark)), ""
        if said.state:
            return ProbeReply(took, wrong=excerpt(f"{said.state}: {said.message}", 300))
        try:
            answer = json.loads(said.text)
            if answer["next"] != self._number + 1:
                return ProbeReply(took, wrong=f"{self._number} + 1 came back as {answer['next']}")
            return ProbeReply(took, read_replication(answer["told"]))
        except (ValueError, KeyError, TypeError):
            return ProbeReply(took, wrong=excerpt(said.text, 300))

    def _write(self, text: str) -> None:
        try:
            self._socket.settimeout(1.0)
            self._socket.sendall(text.encode())
        except OSError as gone:
            raise self._ended(str(gone)) from gone

    def _read(self, seconds: float) -> None:
        try:
            self._socket.settimeout(seconds)
            part = self._socket.recv(_MOST_BYTES)
        except TimeoutError:
            return
        except OSError as gone:
            raise self._ended(str(gone)) from gone
        if not part:
            raise self._ended("")
        self._rest += part
        while len(self._rest) >= _HEAD:
            kind, length = struct.unpack(">BxxxL", self._rest[:_HEAD])
            if len(self._rest) < _HEAD + length:
                return
            text = self._rest[_HEAD : _HEAD + length].decode(errors="replace")
            self._rest = self._rest[_HEAD + length :]
            if kind == STDERR:
                self._err = (self._err + text)[-_KEPT_OF_STDERR:]
            else:
                self._out += text

    def _ended(self, gone: str) -> SessionEnded:
        lines = [line for line in self._err.splitlines() if not line.startswith(("mayday.isready=", "LOCATION:"))]
        return SessionEnded(excerpt("\n".join(lines) or gone, 300), accepts="mayday.isready=0" in self._err)
