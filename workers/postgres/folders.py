"""Reading folders and small files of a server: archive, timelines, its own WAL, base backups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from actions.engine.errors import RecoveryError
from actions.postgres.archive import WalFile
from actions.postgres.backups import BackupFiles
from actions.postgres.inventory import FILE_NAME
from actions.postgres.server import Server
from actions.postgres.tablespaces import MAP_NAME
from actions.postgres.walheader import BYTES
from actions.tools.folders import Room
from workers.docker.exec import CommandResult
from workers.docker.folder_looks import rooms as look_at_rooms
from workers.docker.helper import HOME, checked
from workers.postgres import base_listing
from workers.postgres.gather_wal import PROGRAMS, UNPACK
from workers.postgres.judged_wal import LIST, judged
from workers.postgres.server_helper import ARCHIVE, BASES, WAL, ServerHelper, location_of

_HISTORIES = (
    UNPACK
    + r"""
for folder in "$@"; do
    for file in "$folder"/*.history "$folder"/*.history.* "$folder"/*.backup "$folder"/*.backup.*; do
        [ -f "$file" ] || continue
        printf '\f%s\n' "$file"
        case $file in *.history | *.backup) cat "$file" ;; *) unpack "$file" 2>/dev/null ;; esac
    done
done
exit 0
"""
)
_PROGRAMS = 'for program in "$@"; do ! command -v "$program" >/dev/null || echo "$program"; done'
_HEADERS = r"""
cd "$1" 2>/dev/null || exit 0
for file in [0-9A-F]*; do
    case "$file" in *[!0-9A-F]*) continue ;; esac
    printf '%s ' "$file"
    od -An -v -tx1 -N "$2" "$file" | tr -d ' \n'
    echo
done
"""
_SLOW_DISK_SECONDS = 120
_NO_FOLDER = 66
_END = "\x1c"
_PARTS = (
    (LIST, '"$1"'),
    (LIST, '"$2"'),
    (_HISTORIES, '"$1" "$2"'),
    (base_listing.LIST, '"$3" "$4" "$5" "$6" "$7" "$8"'),
    (_PROGRAMS, " ".join(PROGRAMS.values())),
)
_FOLDERS = "".join(f"( set -- {given}\n{part}\n); printf '\\034%s\\034' $?\n" for part, given in _PARTS)


@dataclass(frozen=True)
class FolderListings:
    """The folders that a recovery comes from, as one command listed them: each with its own exit code.

    `programs` are those for packed files that the image has.
    """

    tail: CommandResult
    archive: CommandResult
    histories: CommandResult
    backups: CommandResult
    programs: frozenset[str]


def folders(helper: ServerHelper, server: Server) -> FolderListings:
    """All of them at once: to start a command in a container costs more than to list a folder."""
    seconds = _SLOW_DISK_SECONDS * len(_PARTS)
    told = (FILE_NAME, MAP_NAME, base_listing.HEADER_BYTES, server.inside_bases.rstrip("/"), server.bases.rstrip("/"))
    done = helper.inside(server).script(_FOLDERS, own_wal(server), ARCHIVE, BASES, *told, seconds=seconds)
    said = checked(done, "listing the folders of the server").split(_END)
    parts = [CommandResult(int(code), out, done.err) for out, code in zip(said[0:-1:2], said[1::2], strict=True)]
    tail, archive, texts, backups, programs = parts
    return FolderListings(tail, archive, texts, backups, frozenset(programs.out.split()))


def wal_files(helper: ServerHelper, server: Server, folder: str, *, else_none: bool = False) -> list[WalFile]:
    """The files of one folder with sizes and times; hidden ones are somebody's drafts."""
    done = helper.inside(server).script(LIST, folder, seconds=_SLOW_DISK_SECONDS)
    return [] if else_none and done.code == _NO_FOLDER else listed(server, folder, done)


def listed(server: Server, folder: str, done: CommandResult) -> list[WalFile]:
    """What the listing of a folder says, each file with what is wrong with it."""
    if done.code == _NO_FOLDER:
        raise missing(server, folder)
    return judged(server, checked(done, "listing WAL files"))


def own_wal(server: Server) -> str:
    """The live server's pg_wal, as the helper sees it."""
    return WAL if server.wal else f"{HOME}/{server.home.leaf}/pg_wal"


def missing(server: Server, folder: str) -> RecoveryError:
    """The error for a folder that should be there."""
    own = server.wal or f"{server.home.parent}/{server.home.leaf}/pg_wal"
    hosts = {ARCHIVE: server.archive, BASES: server.bases, own_wal(server): own}
    return RecoveryError(
        "A folder of the server cannot be read on the Docker host.",
        detail=hosts.get(folder, folder),
        hint="See that its disk is mounted and the settings are right, then ask again.",
    )


def small_files(done: CommandResult) -> dict[str, str]:
    """What each small file says, histories of timelines and of backups, by its path; of archive and live server."""
    blocks = (block.partition("\n") for block in checked(done, "reading timeline histories").split("\f")[1:])
    return {path: text for path, _, text in blocks}


def base_backups(server: Server, done: CommandResult, ends: Iterable[str]) -> list[BackupFiles]:
    """Every base backup with what tells of it; `ends` are the archive's .backup files."""
    if done.code == _NO_FOLDER:
        raise missing(server, BASES)
    # Both begin with the same line: where the backup starts.
    ended = {_first_line(text): text for text in ends}
    found = base_listing.base_backups(server, done)
    return [replace(backup, history=ended.get(_first_line(backup.label))) for backup in found]


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def rooms(helper: ServerHelper, server: Server) -> dict[str, Room]:
    """The file systems beside the live directory, of the archive, the base backups and each tablespace's location."""
    locations = {space.location: location_of(space) for space in server.tablespaces if space.parent}
    folders = {"data": HOME, "archive": ARCHIVE, "bases": BASES, **locations}
    return look_at_rooms(helper.inside(server), folders)


def control(helper: ServerHelper, server: Server, leaf: str) -> str:
    """What pg_controldata says of a directory beside the live one."""
    done = helper.inside(server).run(["pg_controldata", f"{HOME}/{leaf}"], env={"LC_ALL": "C", "TZ": "UTC"})
    text = checked(
        done, f"reading the control file of {leaf}", "The control file may be damaged; base backups are not affected."
    )
    # From PostgreSQL 17 on it says on stderr that the checksum is wrong.
    return text + done.err


def wal_headers(helper: ServerHelper, server: Server) -> dict[str, bytes]:
    """The first bytes of each segment in the live server's pg_wal."""
    done = helper.inside(server).script(_HEADERS, own_wal(server), str(BYTES))
    rows = (line.partition(" ") for line in checked(done, "reading the server's own WAL").splitlines())
    return {name: bytes.fromhex(text) for name, _, text in rows}
