"""What a data directory holds that WAL does not tell, read from its files: slots, and prepared transactions."""

from __future__ import annotations

from collections.abc import Sequence

from actions.engine.errors import RecoveryError
from actions.postgres.replication_slots import ON_DISK_BYTES
from actions.postgres.server import Server
from actions.postgres.twophase import HEADER_BYTES
from actions.tools.names import Names
from workers.docker.helper import HOME, checked
from workers.postgres.server_helper import ServerHelper

_STATES = r"""
cd "$1" 2>/dev/null || exit 0
for file in $2; do
    [ -f "$file" ] || continue
    od -An -v -tx1 -N "$3" "$file" | tr -d ' \n'
    echo
done
"""
# The range ends before the stop, so that reading it through is no error; the record at the stop comes by itself.
_DUMP = r"""
wal=$1 at=$2 filter=$3 of=$4; shift 4
{
    while [ $# -gt 2 ]; do
        pg_waldump "$filter" "$of" -p "$wal" -t "$1" -s "$2" -e "$3" || echo FAILED
        last=$1; shift 3
    done
    [ -z "$at" ] || pg_waldump -p "$wal" -t "$last" -s "$at" -n 1 || echo FAILED
} 2>/dev/null |
"""
# Only what is still open is handed on: some applications prepare each of their transactions.
_STILL_OPEN = r"""
awk '/ desc: PREPARE gid / {
    match($0, /tx: +[0-9]+/); x = substr($0, RSTART + 3, RLENGTH - 3); sub(/^ +/, "", x); open[x] = $0
}
/ desc: (COMMIT|ABORT)_PREPARED / { match($0, /_PREPARED [0-9]+/); delete open[substr($0, RSTART + 10, RLENGTH - 10)] }
/^FAILED/ { print }
END { for (x in open) print open[x] }'
exit 0
"""
_FIRST_RELATION = r"""
grep -E 'rel [0-9]+/[1-9]|^FAILED' | head -n 1
exit 0
"""
_SECONDS = 3600

Stretch = tuple[int, str, str]
"""A timeline, and the first and last position on it that are read."""


class UnwrittenReader:
    """Reads them from the live directory or the clone's; changes nothing."""

    def __init__(self, helper: ServerHelper) -> None:
        self._helper = helper

    def slots(self, server: Server) -> list[bytes]:
        """The state file of each slot of the live server."""
        return self._states(server, f"{HOME}/{server.home.leaf}/pg_replslot", "*/state", ON_DISK_BYTES)

    def prepared(self, server: Server, names: Names) -> list[bytes]:
        """The state files of prepared transactions in the clone."""
        return self._states(server, f"{HOME}/{names.clone_leaf(server.home)}/pg_twophase", "*", HEADER_BYTES)

    def _states(self, server: Server, folder: str, pattern: str, size: int) -> list[bytes]:
        done = self._helper.inside(server).script(_STATES, folder, pattern, str(size))
        return [bytes.fromhex(line) for line in checked(done, f"reading {folder}").splitlines()]

    def two_phase(self, server: Server, names: Names, stretches: Sequence[Stretch], at: str) -> list[str]:
        """The records of prepared transactions that did not end there; with `at`, the record there is read too."""
        return self._records(server, names, stretches, at, _STILL_OPEN, "-r", "Transaction")

    def of_transaction(self, server: Server, names: Names, stretches: Sequence[Stretch], xid: int) -> list[str]:
        """The first record of a transaction that names a relation."""
        return self._records(server, names, stretches, "", _FIRST_RELATION, "-x", str(xid))

    def _records(
        self, server: Server, names: Names, stretches: Sequence[Stretch], at: str, sift: str, *which: str
    ) -> list[str]:
        given = [str(part) for stretch in stretches for part in stretch]
        wal = f"{HOME}/{names.clone_leaf(server.home)}/pg_wal"
        done = self._helper.inside(server).script(
            _DUMP + sift, wal, at, *which, *given, seconds=_SECONDS, env={"LC_ALL": "C", "TZ": "UTC"}
        )
        lines = checked(done, "looking for prepared transactions in the WAL").splitlines()
        if "FAILED" in lines:
            raise RecoveryError(
                "The clone's WAL could not be searched for prepared transactions.",
                detail="pg_waldump did not read it through.",
                hint="Retry, or Undo.",
            )
        return lines
