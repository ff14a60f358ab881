"""Copying a primary with pg_basebackup over the network, as the user whom the standby's server will run as."""

from __future__ import annotations

from collections.abc import Sequence

from actions.tools.progress import Progress
from workers.docker.exec import CommandResult, Inside, shell
from workers.docker.helper import HOME, checked
from workers.postgres.base_checks import LONG_SECONDS
from workers.postgres.base_take import follow

# pg_basebackup writes its manifest last, so a folder that has one is whole; any other of the run's own is begun anew.
_MAKE_ROOM = r"""
cd "$1" || exit 64
[ ! -f "$2/backup_manifest" ] || exit 65
rm -rf "$2" && mkdir -m 0700 "$2" && chown "$3" "$2"
"""
_WHOLE = 65
_IS_WHOLE = '[ -f "$1/backup_manifest" ]'


def copy(root: Inside, owner: Inside, leaf: str, argv: Sequence[str], total: int, progress: Progress) -> None:
    """Run pg_basebackup into the folder of that name; `root` makes it, `owner` fills it."""
    done = root.script(_MAKE_ROOM, HOME, leaf, owner.user, seconds=LONG_SECONDS)
    if done.code == _WHOLE:
        return
    checked(done, "making room for the copy")
    command = owner.command(shell('exec "$@" 2>&1', *argv), seconds=LONG_SECONDS, env={"LC_ALL": "C"})
    said = follow(command, "the copy of the primary", total, progress)
    if command.code != 0:
        result = CommandResult(command.code or 1, "", said)
        checked(result, "copying the primary", "Read what pg_basebackup said, mend it, then Retry; or Undo.")
    progress(total, total, "copied the primary")


def is_whole(root: Inside, leaf: str) -> bool:
    """Whether the folder has its manifest."""
    return root.script(_IS_WHOLE, f"{HOME}/{leaf}").code == 0


def pg_basebackup(leaf: str, conninfo: str, slot: str, run: str, rate: str) -> list[str]:
    """Its command line, without a password: that is in the passfile of the connection string."""
    pace = ["--max-rate", rate] if rate else []
    place = ["pg_basebackup", "-D", f"{HOME}/{leaf}", "-d", conninfo]
    # CRC32C is read about ten times as fast as SHA-256, and the copy is checked against the manifest at once.
    how = ["-c", "fast", "-X", "stream", "-S", slot, "-w", "-P", "--manifest-checksums=CRC32C"]
    return [*place, *how, "-l", f"mayday standby {run}", *pace]
