"""What lies in the folder of base backups: plain ones and archives, each with the small files that tell of it."""

from __future__ import annotations

from actions.postgres.backups import BackupFiles
from actions.postgres.server import Server
from actions.postgres.walheader import BYTES, identity_of
from workers.docker.exec import CommandResult
from workers.docker.helper import checked
from workers.postgres.base_pieces import PIECES

# Of an archive only its beginning is read: there pg_basebackup puts backup_label and tablespace_map. A segment of its
# WAL says of which cluster it is. An archive that was cut off is told by its end: a tar ends with zeros, and gzip
# notes the size of what it packed, which for a tar is a multiple of 512. The archive of the WAL is one place more where
# segments may lie: what is wrong with it does not spoil the backup.
_ARCHIVES = r"""
lead=/tmp/mayday-lead
packer() {
    case $1 in
        *.gz) echo gzip ;; *.zst) echo zstd ;; *.lz4) echo lz4 ;; *.xz) echo xz ;; *.bz2) echo bzip2 ;; *) echo cat ;;
    esac
}
cut_off() {
    case $1 in
        *.gz) [ $(($(tail -c 4 "$1" | od -An -tu4) % 512)) != 0 ] ;;
        *.tar) [ "$(tail -c 1024 "$1" | tr -d '\0' | wc -c)" != 0 ] ;;
        *) false ;;
    esac
}
trouble() {
    for wanted in base $(tar -xOf "$lead" tablespace_map 2>/dev/null | sed -n 's/^\([0-9][0-9]*\) .*/\1/p'); do
        of=$(archive "$src/$wanted")
        if [ -z "$of" ]; then echo "its archive $wanted.tar is missing"; return
        elif ! command -v "$(packer "$of")" >/dev/null; then
            echo "its ${of##*/} cannot be unpacked: the server's image has no $(packer "$of")"; return
        elif cut_off "$of"; then echo "its ${of##*/} is cut off"; return
        fi
    done
}
segment() {
    [ -n "$(archive "$src/pg_wal")" ] || return 0
    opened "$src/pg_wal" 2>/dev/null | head -c 65536 >"$lead.wal"
    name=$(tar -tf "$lead.wal" 2>/dev/null | grep -xE '[0-9A-F]{24}' | head -n 1)
    [ -n "$name" ] || return 0
    printf '%s ' "$name"
    tar -xOf "$lead.wal" "$name" 2>/dev/null | head -c "$1" | od -An -v -tx1 | tr -d ' \n'
}
"""
LIST = (
    PIECES
    + _ARCHIVES
    + r"""
bases=$1 inventory=$2 map_name=$3 header=$4 inside=$5 host=$6
part() { printf '\v'; if [ -f "$1" ]; then printf '+'; cat "$1"; fi; }
member() { tar -xOf "$lead" "$1" >"$lead.one" 2>/dev/null; [ -s "$lead.one" ] || rm -f "$lead.one"; part "$lead.one"; }
plain() {
    control=$(LC_ALL=C pg_controldata "$src" 2>/dev/null |
        sed -n 's/^Database system identifier: *//p; s/^Data page checksum version: *//p')
    printf '%s %s\n' "$(du -sk "$src" | cut -f1)" "$(echo $control)"
    part "$src/backup_label"; part "$src/backup_manifest"; part "$src/$inventory"; part "$map"
    printf '\v+'
    for held in "$src"/pg_tblspc/[0-9]*; do
        oid=${held##*/}
        if [ -L "$held" ]; then
            if [ -d "$(piece_of "$oid")" ]; then echo "$oid linked"; else echo "$oid away $(readlink "$held")"; fi
        elif [ -d "$held" ] && mapped "$oid"; then echo "$oid within"
        fi
    done
    printf '\v'
}
packed() {
    opened "$src/base" 2>/dev/null | head -c 262144 >"$lead"
    printf '0\n'
    member backup_label; part "$src/backup_manifest"; part "$src/$inventory"
    printf '\v+'; tar -xOf "$lead" tablespace_map 2>/dev/null; [ ! -f "$map" ] || cat "$map"
    printf '\v+'; tar -xOf "$lead" tablespace_map 2>/dev/null | sed -n 's/^\([0-9][0-9]*\) .*/\1 archive/p'
    printf '\v%s\v%s' "+$(trouble)" "+$(segment "$header")"
}
cd "$bases" 2>/dev/null || exit 66
for folder in */; do
    [ -d "$folder" ] || continue
    folder=${folder%/}; src=$bases/$folder map=$bases/$folder/$map_name
    if [ -f "$folder/backup_label" ]; then form=plain
    elif [ -n "$(archive "$src/base")" ]; then form=packed
    elif [ -f "$folder/backup_manifest" ]; then form=plain
    else continue
    fi
    printf '\f%s\n%s ' "$folder" $form
    $form
done
exit 0
"""
)
HEADER_BYTES = str(BYTES)


def base_backups(server: Server, done: CommandResult) -> list[BackupFiles]:
    """Every base backup with its label, its manifest, its inventory and its tablespaces."""
    return [_backup(server, block) for block in checked(done, "reading base backups").split("\f")[1:]]


def _backup(server: Server, block: str) -> BackupFiles:
    head, *texts = block.split("\v")
    name, sizes = head.split("\n", 1)
    form, kilobytes, *control = sizes.split()
    given = [text[1:] if text.startswith("+") else None for text in texts]
    label, manifest, inventory, tablespace_map, pieces, problem, segment = (*given, *[None] * 7)[:7]
    return BackupFiles(
        path=f"{server.bases}/{name}",
        label=label,
        manifest=manifest,
        inventory=inventory,
        bytes=int(kilobytes) * 1024,
        system_identifier=control[0] if control else _system_of(segment or ""),
        checksums=control[1] != "0" if control[1:] else None,
        packed=form == "packed",
        tablespace_map=tablespace_map,
        pieces=_pieces(pieces or ""),
        problem=(problem or "").strip(),
    )


def _pieces(text: str) -> dict[int, str]:
    """The oid of each tablespace, and where its files are: within, linked, archive, or away and where."""
    rows = (line.partition(" ") for line in text.splitlines())
    return {int(oid): where for oid, _, where in rows}


def _system_of(segment: str) -> str | None:
    name, _, hexadecimal = segment.strip().partition(" ")
    seen = identity_of({name: bytes.fromhex(hexadecimal)}) if hexadecimal else None
    return seen.system_identifier if seen else None
