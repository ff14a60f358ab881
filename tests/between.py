"""A unix socket between a client and the Docker daemon, that passes on what the daemon says as a network may."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DAEMON = "/var/run/docker.sock"
_STARTS_AN_EXEC = b"/start HTTP/1.1"


@contextmanager
def daemon_behind(path: Path, *, pause: float = 0.0, cut_after: int = 0) -> Iterator[str]:
    """The address of a daemon whose answers come after `pause` seconds, all that was said meanwhile in one piece.

    With `cut_after` the connection of a command ends after so many bytes.
    """
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        welcoming = threading.Thread(target=_welcome, args=(door, pause, cut_after), daemon=True)
        welcoming.start()
        yield f"unix://{path}"
        door.shutdown(socket.SHUT_RDWR)
        welcoming.join()


def _welcome(door: socket.socket, pause: float, cut_after: int) -> None:
    with suppress(OSError):  # The door is shut.
        while True:
            client, _ = door.accept()
            threading.Thread(target=_serve, args=(client, pause, cut_after), daemon=True).start()


def _serve(client: socket.socket, pause: float, cut_after: int) -> None:
    with client, socket.socket(socket.AF_UNIX) as daemon, suppress(OSError):
        daemon.connect(DAEMON)
        commands = threading.Event()
        asking = threading.Thread(target=_ask, args=(client, daemon, commands), daemon=True)
        asking.start()
        passed = 0
        while first := daemon.recv(65536):
            if commands.is_set():
                time.sleep(pause)
            said = first + _waiting(daemon)
            if cut_after and commands.is_set():
                said = said[: cut_after - passed]
            client.sendall(said)
            passed += len(said)
            if cut_after and commands.is_set() and passed >= cut_after:
                break
        client.shutdown(socket.SHUT_RDWR)


def _ask(client: socket.socket, daemon: socket.socket, commands: threading.Event) -> None:
    with suppress(OSError):
        while asked := client.recv(65536):
            if _STARTS_AN_EXEC in asked:
                commands.set()
            daemon.sendall(asked)


def _waiting(daemon: socket.socket) -> bytes:
    """What else has come meanwhile."""
    with suppress(BlockingIOError):
        return daemon.recv(65536, socket.MSG_DONTWAIT)
    return b""
