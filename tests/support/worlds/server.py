"""A real PostgreSQL in a temporary directory, for the tests that need one."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BIN = next(
    (path for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True) if (path / "initdb").exists()),
    None,
)
# The server refuses to run as root.
_AS_SERVER: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def running_server() -> Iterator[str]:
    """The address of a server of its own, which ends with the block."""
    assert BIN is not None
    home = Path(tempfile.mkdtemp(prefix="mayday-store-"))
    if _AS_SERVER:
        shutil.chown(home, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "postgres" if _AS_SERVER else pwd.getpwuid(os.geteuid()).pw_name
    try:
        _run(home, BIN / "initdb", "-D", home / "data", "-A", "trust", "-U", user, "--no-sync")
        flags = f"-c listen_addresses=127.0.0.1 -p {port} -k {home} -c fsync=off"
        _run(home, BIN / "pg_ctl", "-D", home / "data", "-l", home / "log", "-o", flags, "-w", "start")
        yield f"postgresql+psycopg://{user}@127.0.0.1:{port}/postgres"
    finally:
        if (home / "data" / "postmaster.pid").exists():
            _run(home, BIN / "pg_ctl", "-D", home / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(home)


def _run(home: Path, *command: str | Path) -> None:
    done = subprocess.run(
        list(map(str, command)),
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
        **_AS_SERVER,
    )
    assert done.returncode == 0, done.stderr.decode()
