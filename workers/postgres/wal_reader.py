"""Reading WAL where it lies, with the server's own pg_waldump, from the best copy of each segment."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from itertools import islice

from actions.engine.errors import RecoveryError
from actions.postgres.lost_rows_awk import LOSSES_AWK, losses_argv
from actions.postgres.segments import parse_wal_name
from actions.postgres.server import Server
from actions.postgres.stops import Stop
from actions.postgres.waldump import ended_in
from actions.redact import excerpt
from workers.docker.exec import Command, shell
from workers.postgres.folders import own_wal
from workers.postgres.gather_wal import GATHER
from workers.postgres.server_helper import ServerHelper
from workers.postgres.wal_copies import Copies

_DUMP = (
    GATHER
    + r"""
"$@"; code=$?; rm -rf "$d"; exit $code
"""
)
_DUMP_SOME = (
    GATHER
    + r"""
{ "$@"; echo $? >"$d/code"; } | grep -E "$MAYDAY_KINDS"
code=$(cat "$d/code"); rm -rf "$d"; exit "$code"
"""
)
_DUMP_LOSSES = (
    GATHER
    + r"""
{ "$@"; echo $? >"$d/code"; } | awk -v stop="$MAYDAY_STOP" -v inclusive="$MAYDAY_INCLUSIVE" "$MAYDAY_AWK"
code=$(cat "$d/code"); rm -rf "$d"; exit "$code"
"""
)
# pg_waldump prints times in the zone of its environment and errors in its language; both are parsed here.
_ENVIRONMENT = {"TZ": "UTC", "LC_ALL": "C"}
_LOSSES = ("Heap", "Heap2", "Transaction")
_SCAN_SECONDS = 900
_PACKED = re.compile(r"^cannot unpack (\S+): ?(.*)", re.MULTILINE)
# pg_waldump fails with one of these at the end of valid WAL too, so by themselves they prove no damage.
_END = re.compile(
    r"error in WAL record at|could not find a valid record|invalid record length|could not find file|could not read"
)


class WalReader:
    """Reads WAL of one server through the helper."""

    def __init__(self, helper: ServerHelper, copies: Copies) -> None:
        self._helper = helper
        self._copies = copies

    def lines(
        self,
        server: Server,
        timeline: int,
        segments: Sequence[str],
        start: str,
        end: str,
        rmgrs: Sequence[str],
        limit: int,
        only: str = "",
    ) -> Iterator[str]:
        """Lines of pg_waldump, up to the end of valid WAL."""
        if not segments:
            return
        # Before PostgreSQL 15 it knows one kind at a time, so there the lines are sifted after it.
        each = len(rmgrs) > 1 and server.version < 15
        sifted = each or bool(only)
        flags = _flags(timeline, segments, start, end, () if each else rmgrs)
        bound = ["-n", str(limit)] if limit and not sifted else []
        kinds = {"MAYDAY_KINDS": f"^rmgr: ({'|'.join(rmgrs)}) "} if sifted else {}
        script, told, again = _DUMP_SOME if sifted else _DUMP, 0, True
        while again:
            paths, command = self._command(server, script, segments, [*flags, *bound], _SCAN_SECONDS, kinds)
            records = (line for line in command.lines() if line.startswith("rmgr: "))
            # From another copy the same WAL is read again, up to where the first one ended.
            for line in islice(records, told, limit if limit and sifted else None):
                told += 1
                yield line
            again = self._judge(server, segments, paths, command)

    def losses(self, server: Server, timeline: int, segments: Sequence[str], stop: Stop, seconds: float) -> str:
        """What the awk program counts; empty where the time was not enough."""
        _, _, place, _, inclusive, _ = losses_argv(stop)
        env = {
            "MAYDAY_STOP": place.partition("=")[2],
            "MAYDAY_INCLUSIVE": inclusive.partition("=")[2],
            "MAYDAY_AWK": LOSSES_AWK,
        }
        flags = _flags(timeline, segments, "", "", _LOSSES if server.version >= 15 else ())
        again, counted = True, ""
        while again:
            paths, command = self._command(server, _DUMP_LOSSES, segments, flags, seconds, env)
            counted = "\n".join(command.lines())
            if command.over:
                return ""
            again = self._judge(server, segments, paths, command)
        return counted

    def _command(
        self,
        server: Server,
        script: str,
        segments: Sequence[str],
        flags: Sequence[str],
        seconds: float,
        env: dict[str, str],
    ) -> tuple[Sequence[str], Command]:
        """The copies that are read, and what reads them."""
        confirm_names(segments)
        place = f"/var/tmp/mayday.{uuid.uuid4().hex}"
        paths = self._copies.readable(server, segments)
        argv = shell(script, place, str(len(paths)), *paths, "pg_waldump", "-p", place, *flags)
        return paths, self._helper.inside(server).command(argv, seconds=seconds, env={**_ENVIRONMENT, **env})

    def _judge(self, server: Server, segments: Sequence[str], paths: Sequence[str], command: Command) -> bool:
        """The end of valid WAL is where reading should end, unless archived WAL goes on behind it.

        True where a copy turned out to be bad, and another one is to be read instead.
        """
        # No code at all: enough lines were read before its end.
        if command.code in (0, None):
            return False
        if command.over:
            raise RecoveryError(
                "Reading the WAL took too long.",
                detail=excerpt(command.err),
                hint="Name a later base backup, or retry.",
            )
        if packed := _PACKED.search(command.err):
            self._copies.blame(packed[1], f"it cannot be unpacked: {excerpt(packed[2], 200)}")
            return True
        if not _END.search(command.err):
            raise RecoveryError(
                "The WAL cannot be read.",
                detail=excerpt(command.err),
                hint="See that the archive is whole; choose a target before the damage.",
            )
        ended = ended_in(command.err, int(segments[0][:8], 16), server.segment_size)
        if not ended or ended >= segments[-1] or ended not in segments:
            return False
        return self._blamed(server, ended, paths[segments.index(ended)], excerpt(command.err))

    def _blamed(self, server: Server, segment: str, path: str, said: str) -> bool:
        """Whether there is another copy of a segment within which reading ended too early; of the server's own file
        that was not archived it is the end of its WAL.

        Raises:
            RecoveryError: there is none, and it is no end: the segment is damaged.
        """
        if path.startswith(f"{own_wal(server)}/") and not self._copies.archived(server, segment):
            return False
        self._copies.blame(path, f"it ends too early: {said}")
        return True


def confirm_names(names: Sequence[str]) -> None:
    """Only names of WAL files may reach a script."""
    for name in names:
        if parse_wal_name(name) is None:
            raise RecoveryError(
                "That is not the name of a WAL file.",
                detail=repr(name[:60]),
                hint="This is an error of Mayday; report it.",
            )


def _flags(timeline: int, segments: Sequence[str], start: str, end: str, rmgrs: Sequence[str]) -> list[str]:
    kinds = [part for kind in rmgrs for part in ("-r", kind)]
    until = ["-e", end] if end else []
    # Without a start, naming the first and the last file begins with the first record that begins in the first.
    return ["-t", str(timeline), *kinds, *until, *(["-s", start] if start else [segments[0], segments[-1]])]
