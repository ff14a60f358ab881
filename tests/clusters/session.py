"""A psql that stays open: transactions that last, locks that are held, snapshots that others use."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from types import TracebackType

from tests.support.own_cluster import Cluster

_END = "-- that was it --"


class Session:
    """One session of one database. Every statement is followed until psql has answered it."""

    def __init__(self, cluster: Cluster, database: str, name: str = "session") -> None:
        # Docker carries two streams, and what is said in both at once may come in either order: so there is but one.
        argv = [
            "docker",
            "exec",
            "-i",
            "-u",
            str(cluster.uid),
            cluster.name,
            "sh",
            "-c",
            'exec psql "$@" 2>&1',
            "sh",
            *cluster.psql,
            "-XqAt",
            "-U",
            cluster.site.user,
            "-d",
            database,
        ]
        self._psql = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.run(f"set application_name = '{name}'; set lock_timeout = '60s'")

    def run(self, sql: str) -> str:
        """What psql printed; an assertion where the server refused."""
        assert self._psql.stdin is not None
        assert self._psql.stdout is not None
        # What echo prints would wait in a buffer, and an aborted transaction answers no select.
        self._psql.stdin.write(f"{sql};\n\\warn {_END}\n")
        self._psql.stdin.flush()
        printed: list[str] = []
        for line in self._psql.stdout:
            if line.strip() == _END:
                break
            printed.append(line)
        else:
            raise AssertionError(f"psql ended while it ran {sql}: {''.join(printed)}")
        said = "".join(printed).strip()
        assert "ERROR:" not in said, f"{sql}: {said}"
        return said

    def close(self) -> None:
        assert self._psql.stdin is not None
        with suppress(BrokenPipeError):
            self._psql.stdin.close()
        try:
            self._psql.wait(10)
        except subprocess.TimeoutExpired:
            self._psql.kill()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
