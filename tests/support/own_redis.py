"""A Redis of the tests' own, on a port of its own, with nothing kept, and with the users of `compose.yaml`."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.paths import ROOT
from tests.support.waiting import within

eventually = within(8)
PASSWORD = "tests"
COMPOSE = ROOT / "compose.yaml"


def users() -> str:
    """The lines of the users, as `compose.yaml` gives them to its Redis."""
    return "\n".join(re.findall(r"^ +(user .+)$", COMPOSE.read_text(), re.M)).replace("$$REDIS_PASSWORD", PASSWORD)


@contextmanager
def own_redis(*, closed: bool = True) -> Iterator[str]:
    """Start one and end it; its address. Not `closed`: it asks for no password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "-", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdin is not None
            server.stdin.write(users() if closed else "")
            server.stdin.close()
            eventually(lambda: _listens(port))
            yield f"redis://{f'mayday:{PASSWORD}@' if closed else ''}127.0.0.1:{port}/0"
        finally:
            server.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
