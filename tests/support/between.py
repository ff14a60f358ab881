"""A unix socket between a client and the Docker daemon, that passes on what the daemon says as a network may."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

DAEMON = "/var/run/docker.sock"
_STARTS_AN_EXEC = b"/start HTTP/1.1"


@dataclass
class Freeze:
    """A switch: while it is on no byte passes on any connection, as with a daemon that hangs.

    The first request that holds `at` turns it on before it passes. With `commands` it is the connections of commands
    that run when it is turned on, and no others.
    """

    at: bytes = b""
    commands: bool = False
    began: float = 0.0
    _on: threading.Event = field(default_factory=threading.Event)

    def on(self) -> None:
        self.began = self.began or time.monotonic()
        self._on.set()

    def off(self) -> None:
        self._on.clear()

    def seconds(self) -> float:
        """For how long it has been frozen."""
        return time.monotonic() - self.began

    def hold(self, passing: bytes, started: list[float]) -> None:
        """Let the caller go on once the bytes may pass; `started` is when their connection became a command's."""
        if self.at and self.at in passing:
            self.on()
        while self._on.is_set() and (not self.commands or any(at < self.began for at in started)):
            time.sleep(0.05)


@contextmanager
def daemon_behind(path: Path, *, pause: float = 0.0, cut_after: int = 0, freeze: Freeze | None = None) -> Iterator[str]:
    """The address of a daemon whose answers come after `pause` seconds, all that was said meanwhile in one piece.

    With `cut_after` the connection of a command ends after so many bytes; `freeze` holds all of them up.
    """
    freeze = freeze or Freeze()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        welcoming = threading.Thread(target=_welcome, args=(door, pause, cut_after, freeze), daemon=True)
        welcoming.start()
        try:
            yield f"unix://{path}"
        finally:
            freeze.at = b""
            freeze.off()
            door.shutdown(socket.SHUT_RDWR)
            welcoming.join()


def _welcome(door: socket.socket, pause: float, cut_after: int, freeze: Freeze) -> None:
    with suppress(OSError):  # The door is shut.
        while True:
            client, _ = door.accept()
            threading.Thread(target=_serve, args=(client, pause, cut_after, freeze), daemon=True).start()


def _serve(client: socket.socket, pause: float, cut_after: int, freeze: Freeze) -> None:
    with client, socket.socket(socket.AF_UNIX) as daemon, suppress(OSError):
        daemon.connect(DAEMON)
        commands: list[float] = []
        asking = threading.Thread(target=_ask, args=(client, daemon, commands, freeze), daemon=True)
        asking.start()
        passed = 0
        while first := daemon.recv(65536):
            if commands:
                time.sleep(pause)
            said = first + _waiting(daemon)
            if cut_after and commands:
                said = said[: cut_after - passed]
            freeze.hold(said, commands)
            client.sendall(said)
            passed += len(said)
            if cut_after and commands and passed >= cut_after:
                break
        client.shutdown(socket.SHUT_RDWR)


def _ask(client: socket.socket, daemon: socket.socket, commands: list[float], freeze: Freeze) -> None:
    with suppress(OSError):
        while asked := client.recv(65536):
            if _STARTS_AN_EXEC in asked:
                commands.append(time.monotonic())
            freeze.hold(asked, commands)
            daemon.sendall(asked)


def _waiting(daemon: socket.socket) -> bytes:
    """What else has come meanwhile."""
    with suppress(BlockingIOError):
        return daemon.recv(65536, socket.MSG_DONTWAIT)
    return b""
