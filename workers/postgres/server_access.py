"""The way to a server within its container: as whom it is asked, and over which socket or address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from docker.errors import NotFound

from actions.engine.errors import RecoveryError
from actions.postgres.postmaster import CLONE, Endpoint, read_pid_file
from actions.postgres.server import Server
from actions.redact import excerpt
from actions.tools.sql import LoginRefused, NotServing
from workers.docker.described import runs
from workers.docker.errors import TakenDown, speaking
from workers.docker.exec import WITH_ITS_PROGRAMS, Command, CommandResult, Inside, shell
from workers.docker.helper import checked

# Root without its capabilities cannot look into another user's directory: 77 says that the owner has to.
_SEE = r"""
stat -c %u:%g "$1" || exit 1
[ -x "$1" ] || exit 77
cat "$1/postmaster.pid" 2>/dev/null || exit 0
"""
_ONLY_THE_OWNER = 77
_IDENTIFY = ("psql", "-X", "-A", "-t", "-w", "-d", "replication=true", "-c", "IDENTIFY_SYSTEM")
_FIRST_LINE = 'read -r _ && exec "$@"'
_PLAIN = {"PGCONNECT_TIMEOUT": "10", "LC_ALL": "C", "PGAPPNAME": "mayday"}
# What libpq would use is used where the container says it: a password file, or the password of the image's own
# environment, which never leaves the container. After a failed login pg_isready tells by the SQLSTATE, and so in
# every language, whether the server lets nobody in yet: https://www.postgresql.org/docs/current/app-pg-isready.html
_ASK = r"""
if [ -z "${PGPASSWORD-}${PGPASSFILE-}" ] && [ "$PGUSER" = "${POSTGRES_USER:-postgres}" ] && ! [ -f ~/.pgpass ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE-}" ] && [ -r "$POSTGRES_PASSWORD_FILE" ]; then
        PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    else
        PGPASSWORD=${POSTGRES_PASSWORD-}
    fi
    [ -z "$PGPASSWORD" ] || export PGPASSWORD
fi
"$@"; code=$?
[ $code != 2 ] || { pg_isready -q -t 5; echo "mayday.isready=$?" >&2; }
exit $code
"""


@dataclass
class KnownAccess:
    """What is known of one start of one container: the server's user, and the ways in, the best first."""

    user: str
    ways: tuple[Endpoint, ...]


@dataclass(frozen=True)
class Access:
    """Where commands are run, and how the server is reached from there."""

    inside: Inside
    known: KnownAccess

    @property
    def way(self) -> Endpoint:
        """The one that is used."""
        return self.known.ways[0]

    def give_up(self) -> bool:
        """Use the next way from now on; False where there is none."""
        if len(self.known.ways) < 2:
            return False
        self.known.ways = self.known.ways[1:]
        return True

    def environment(self, server: Server) -> dict[str, str]:
        """Where psql and its kin connect to, and as whom."""
        host = {"PGHOST": self.way.host} if self.way.host else {}
        return {"PGUSER": server.user, **host, **({"PGPORT": str(self.way.port)} if self.way.port else {})}

    def command(
        self, argv: Sequence[str], *, seconds: float, env: Mapping[str, str], server: Server, mark: str = ""
    ) -> Command:
        """A command that connects; it starts when its lines are read."""
        return self.inside.command(
            shell(_ASK, *argv), seconds=seconds, mark=mark, env={**env, **self.environment(server)}
        )

    def begin(self, argv: Sequence[str], *, env: Mapping[str, str], server: Server) -> str:
        """Prepare a command that connects once it is told to, by a line on its standard input; Docker's id of it."""
        waiting = shell(_FIRST_LINE, *shell(WITH_ITS_PROGRAMS, *shell(_ASK, *argv)))
        return self.inside.begin(waiting, {**env, **self.environment(server)}, stdin=True)


class Accesses:
    """Finds the way to servers and remembers it until their containers are started anew."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], KnownAccess] = {}

    def to(self, client: Any, container: str, server: Server) -> Access:
        """The way to the server of the plan, or to a clone, by the name of its container."""
        found = _inspected(client, container)
        clone = (found["Config"].get("Labels") or {}).get("mayday.role") == "clone"
        if not clone and found["Id"] != server.container:
            raise RecoveryError(
                f"The container {container} was replaced since the plan.",
                code="MD-PG-071",
                detail=f"The plan names the id {server.container[:12]}; now it is {found['Id'][:12]}.",
                hint="Ask for a new plan.",
            )
        if not runs(found["State"]) or found["State"].get("Paused"):
            raise NotServing(
                f"{container} does not run, so it cannot be asked.",
                code="MD-PG-072",
                detail=f"It is {found['State']['Status']}.",
                hint="Start it, then retry.",
            )
        key = (found["Id"], found["State"]["StartedAt"])
        known = self._known.get(key)
        if known is None:
            with crash_is_no_answer():
                known, lasting = _look(client, found["Id"], server.home.inside, clone=clone)
            if lasting:
                self._known[key] = known
        return Access(Inside(client.api, found["Id"], known.user), known)


def _inspected(client: Any, container: str) -> Any:
    with speaking(f"looking at {container}"):
        try:
            return client.api.inspect_container(container)
        except NotFound:
            raise RecoveryError(
                f"There is no container named {container}.", code="MD-PG-073", hint="Start the service, then retry."
            ) from None


def _look(client: Any, id: str, data: str, *, clone: bool) -> tuple[KnownAccess, bool]:
    """The way in, and whether it lasts until the container is started anew."""
    # Peer authentication lets in just the user whom the server runs as: the owner of its data.
    done = Inside(client.api, id).script(_SEE, data, seconds=20)
    owner, _, pid_file = done.out.partition("\n")
    if done.code == _ONLY_THE_OWNER:
        done = Inside(client.api, id, owner.strip()).script(_SEE, data, seconds=20)
        owner, _, pid_file = done.out.partition("\n")
    checked(
        CommandResult(0 if done.code == _ONLY_THE_OWNER else done.code, done.out, done.err), "finding the server's user"
    )
    user = owner.strip()
    if clone:
        return KnownAccess(user, (CLONE,)), True
    running = read_pid_file(pid_file)
    ways = running.endpoints(data) if running else ()
    # Before it serves, the file may be that of an earlier start, or of the image's first server for initdb.
    return KnownAccess(user, ways or (Endpoint(),)), bool(running and running.serves)


@contextmanager
def crash_is_no_answer() -> Iterator[None]:
    """A server that crashes again and again is not waited for: it is down, as what is asked has to be told.

    Raises:
        NotServing: its container went down under what was asked, and is started again and again.
    """
    try:
        yield
    except TakenDown as down:
        if not down.crashing:
            raise
        raise NotServing(
            "The server went down while it was being asked.",
            code="MD-PG-074",
            detail=down.detail,
            hint="Look at its log; start it, then retry.",
        ) from down


def replication_access(access: Access, server: Server) -> Access:
    """The way by which a replication connection is made, as pg_basebackup needs one.

    Raises:
        LoginRefused: there is none.
        NotServing: the server crashed meanwhile.
    """
    said = ""
    for way in access.known.ways:
        given = replace(access, known=KnownAccess(access.known.user, (way,)))
        command = given.command(_IDENTIFY, seconds=20, env=_PLAIN, server=server)
        with crash_is_no_answer(), closing(command.lines()) as lines:
            done = list(lines)
        if command.code == 0 and done:
            return given
        said = said or excerpt("\n".join(x for x in command.err.splitlines() if not x.startswith("mayday.isready=")))
    raise LoginRefused(
        f"{server.service} accepts no replication connection, so no base backup can be taken.",
        code="MD-PG-075",
        detail=said,
        hint=f"A line `local replication {server.user} trust` in pg_hba.conf (or peer, with the "
        "server's own user) and max_wal_senders above 1 let pg_basebackup in; reload the server, "
        "then retry.",
    )
