"""What a server's main process, the postmaster, leaves in its data directory: postmaster.pid and postmaster.opts.

The lines of postmaster.pid are named in src/include/utils/pidfile.h, the same from PostgreSQL 10 to 18; those of
postmaster.opts are written by CreateOptsFile in postmaster.c: the program, then each argument in quotes.
"""

from __future__ import annotations

from dataclasses import dataclass

_PID, _PORT, _SOCKETS, _ADDRESS, _STATUS = 0, 3, 4, 5, 7
_SERVES = ("ready", "standby")


@dataclass(frozen=True)
class Endpoint:
    """Where a server is reached within its container: a socket directory or an address, and a port.

    An empty `host` and a `port` of 0 leave it to psql and the container's own environment.
    """

    host: str = ""
    port: int = 0


CLONE = Endpoint("/mayday", 5432)
"""Where every clone listens, whatever the live server's settings are: a directory in memory of its own."""


@dataclass(frozen=True)
class Postmaster:
    """A running server, as its postmaster.pid says: `sockets` and `address` are empty where it has none."""

    pid: int
    port: int
    sockets: str
    address: str
    serves: bool

    def endpoints(self, data: str) -> tuple[Endpoint, ...]:
        """Its socket first, then its address; `data` is its data directory, below which a relative socket lies."""
        socket = self.sockets if self.sockets.startswith(("/", "@")) else f"{data}/{self.sockets}"
        address = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address, self.address)
        hosts = [*([socket] if self.sockets else []), *([address] if address else [])]
        return tuple(Endpoint(host, self.port) for host in hosts)


def read_pid_file(text: str) -> Postmaster | None:
    """None where it is missing or was not written to its end yet."""
    lines = [*text.splitlines(), *[""] * 8]
    if not (lines[_PID].strip().isdigit() and lines[_PORT].strip().isdigit()):
        return None
    serves = lines[_STATUS].strip() in _SERVES
    return Postmaster(int(lines[_PID]), int(lines[_PORT]), lines[_SOCKETS].strip(), lines[_ADDRESS].strip(), serves)


def read_opts_file(text: str) -> tuple[str, ...]:
    """The command line with which the server was started last; empty where there is none.

    Arguments are quoted and nothing in them is escaped, so one that holds `" "` itself is not told apart.
    """
    line = text.strip("\n")
    if not line:
        return ()
    program, quote, rest = line.partition(' "')
    return (program.strip(), *(rest.removesuffix('"').split('" "') if quote else ()))
