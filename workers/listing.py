"""Reading folders and small files of a server: archive, timelines, its own WAL, base backups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from actions.engine.errors import RecoveryError
from actions.postgres.backups import BackupFiles
from actions.postgres.inventory import FILE_NAME
from actions.postgres.server import Server
from actions.postgres.walheader import BYTES
from actions.tools import Room, WalFile
from workers.gather import PROGRAMS, UNPACK
from workers.helper import ARCHIVE, BASES, HOME, Helper, checked
from workers.inside import Done
from workers.judged import LIST, judged

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
_BASES = r"""
cd "$1" 2>/dev/null || exit 66
for folder in */; do
    [ -d "$folder" ] || continue
    folder=${folder%/}
    [ -f "$folder/backup_label" ] || [ -f "$folder/backup_manifest" ] || continue
    size=$(du -sk "$folder" | cut -f1)
    control=$(LC_ALL=C pg_controldata "$folder" 2>/dev/null |
        sed -n 's/^Database system identifier: *//p; s/^Data page checksum version: *//p')
    printf '\f%s\n%s %s\n' "$folder" "$size" "$(echo $control)"
    for file in backup_label backup_manifest "$2"; do
        printf '\v'
        if [ -f "$folder/$file" ]; then printf '+'; cat "$folder/$file"; fi
    done
done
exit 0
"""
# Links alone: a folder there is a tablespace within the data directory (allow_in_place_tablespaces).
_TABLESPACES = r"""
cd "$1" 2>/dev/null || exit 0
for link in [0-9]*; do [ ! -L "$link" ] || printf '%s %s\0' "$link" "$(readlink "$link")"; done
exit 0
"""
_HEADERS = r"""
cd "$1" 2>/dev/null || exit 0
for file in [0-9A-F]*; do
    case "$file" in *[!0-9A-F]*) continue ;; esac
    printf '%s ' "$file"
    od -An -v -tx1 -N "$2" "$file" | tr -d ' \n'
    echo
done
"""
# A device's number tells file systems apart; what df calls them does not, within a container.
_ROOMS = r"""
for folder in "$@"; do
    [ -d "$folder" ] || { echo none 0; continue; }
    echo "$(stat -c %d "$folder") $(df -Pk "$folder" | tail -n 1 | awk '{ print $4 }')"
done
"""
_SLOW_DISK_SECONDS = 120
_NO_FOLDER = 66
_END = "\x1c"
_PARTS = ((LIST, '"$1"'), (LIST, '"$2"'), (_HISTORIES, '"$1" "$2"'), (_BASES, '"$3" "$4"'),
          (_TABLESPACES, '"$5"'), (_PROGRAMS, " ".join(PROGRAMS.values())))  # fmt: skip
_FOLDERS = "".join(f"( set -- {given}\n{part}\n); printf '\\034%s\\034' $?\n" for part, given in _PARTS)


@dataclass(frozen=True)
class Folders:
    """The folders that a recovery comes from, as one command listed them: each with its own exit code.

    `programs` are those for packed files that the image has.
    """

    tail: Done
    archive: Done
    histories: Done
    backups: Done
    tablespaces: Done
    programs: frozenset[str]


def folders(helper: Helper, server: Server) -> Folders:
    """All of them at once: to start a command in a container costs more than to list a folder."""
    seconds = _SLOW_DISK_SECONDS * len(_PARTS)
    links = f"{HOME}/{server.home.leaf}/pg_tblspc"
    done = helper.inside(server).script(_FOLDERS, own_wal(server), ARCHIVE, BASES, FILE_NAME, links, seconds=seconds)
    said = checked(done, "listing the folders of the server").split(_END)
    parts = [Done(int(code), out, done.err) for out, code in zip(said[0:-1:2], said[1::2], strict=True)]
    tail, archive, texts, backups, tablespaces, programs = parts
    return Folders(tail, archive, texts, backups, tablespaces, frozenset(programs.out.split()))


def wal_files(helper: Helper, server: Server, folder: str, *, else_none: bool = False) -> list[WalFile]:
    """The files of one folder with sizes and times; hidden ones are somebody's drafts."""
    done = helper.inside(server).script(LIST, folder, seconds=_SLOW_DISK_SECONDS)
    return [] if else_none and done.code == _NO_FOLDER else listed(server, folder, done)


def listed(server: Server, folder: str, done: Done) -> list[WalFile]:
    """What the listing of a folder says, each file with what is wrong with it."""
    if done.code == _NO_FOLDER:
        raise missing(server, folder)
    return judged(server, checked(done, "listing WAL files"))


def own_wal(server: Server) -> str:
    """The live server's pg_wal, as the helper sees it."""
    return f"{HOME}/{server.home.leaf}/pg_wal"


def missing(server: Server, folder: str) -> RecoveryError:
    """The error for a folder that should be there."""
    own = f"{server.home.parent}/{server.home.leaf}/pg_wal"
    hosts = {ARCHIVE: server.archive, BASES: server.bases, own_wal(server): own}
    return RecoveryError("A folder of the server cannot be read on the Docker host.", detail=hosts.get(folder, folder),
                         hint="See that its disk is mounted and the settings are right, then ask again.")  # fmt: skip


def small_files(done: Done) -> dict[str, str]:
    """What each small file says, histories of timelines and of backups, by its path; of archive and live server."""
    blocks = (block.partition("\n") for block in checked(done, "reading timeline histories").split("\f")[1:])
    return {path: text for path, _, text in blocks}


def tablespaces(done: Done) -> dict[int, str]:
    """The links of the live data directory, oid to location."""
    links = checked(done, "reading the links of the tablespaces").split("\0")[:-1]
    return {int(oid): location for oid, _, location in (link.partition(" ") for link in links)}


def base_backups(server: Server, done: Done, ends: Iterable[str]) -> list[BackupFiles]:
    """Every base backup with its label, its manifest, its inventory; `ends` are the archive's .backup files."""
    if done.code == _NO_FOLDER:
        raise missing(server, BASES)
    blocks = checked(done, "reading base backups").split("\f")[1:]
    # Both begin with the same line: where the backup starts.
    ended = {_first_line(text): text for text in ends}
    return [_backup(server, block, ended) for block in blocks]


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def _backup(server: Server, block: str, ended: Mapping[str, str]) -> BackupFiles:
    head, *texts = block.split("\v")
    name, sizes = head.split("\n", 1)
    kilobytes, *control = sizes.split()
    label, manifest, inventory = (text[1:] if text.startswith("+") else None for text in texts)
    return BackupFiles(
        path=f"{server.bases}/{name}", label=label, manifest=manifest, history=ended.get(_first_line(label)),
        inventory=inventory, bytes=int(kilobytes) * 1024,
        system_identifier=control[0] if control else None, checksums=control[1] != "0" if control[1:] else None,
    )  # fmt: skip


def rooms(helper: Helper, server: Server) -> dict[str, Room]:
    """The file systems beside the live directory, of the archive and of the base backups, by what lies there."""
    folders = {"data": HOME, "archive": ARCHIVE, "bases": BASES}
    out = checked(helper.inside(server).script(_ROOMS, *folders.values()), "asking for free space")
    said = dict(zip(folders, (line.split() for line in out.splitlines()), strict=True))
    return {where: Room(device, int(kilobytes) * 1024) for where, (device, kilobytes) in said.items()}


def one_file_system(helper: Helper, server: Server) -> bool:
    """Whether the live directory is a plain directory of its parent's file system."""
    leaf = f"{HOME}/{server.home.leaf}"
    out = checked(helper.inside(server).run(["stat", "-c", "%d %F", HOME, leaf]), "looking at the data directory")
    return len(set(out.splitlines())) == 1


def control(helper: Helper, server: Server, leaf: str) -> str:
    """What pg_controldata says of a directory beside the live one."""
    done = helper.inside(server).run(["pg_controldata", f"{HOME}/{leaf}"], env={"LC_ALL": "C", "TZ": "UTC"})
    text = checked(done, f"reading the control file of {leaf}",
                   "The control file may be damaged; base backups are not affected.")  # fmt: skip
    # From PostgreSQL 17 on it says on stderr that the checksum is wrong.
    return text + done.err


def wal_headers(helper: Helper, server: Server) -> dict[str, bytes]:
    """The first bytes of each segment in the live server's pg_wal."""
    done = helper.inside(server).script(_HEADERS, own_wal(server), str(BYTES))
    rows = (line.partition(" ") for line in checked(done, "reading the server's own WAL").splitlines())
    return {name: bytes.fromhex(text) for name, _, text in rows}
