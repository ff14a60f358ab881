"""Shell functions that find the parts of a base backup: its archives, and the files of its tablespaces."""

from __future__ import annotations

# `archive` names an archive whatever it is compressed with, `opened` prints what it holds. A tablespace lies within
# the backup, where Mayday put it (`mapped`), or where a link leads: below the folder of base backups, as the server's
# container sees it, as the Docker host does, or relative to the link.
PIECES = r"""
archive() {
    for form in .tar .tar.gz .tar.zst .tar.lz4 .tar.xz .tar.bz2; do
        if [ -f "$1$form" ]; then echo "$1$form"; return; fi
    done
}
opened() {
    of=$(archive "$1")
    case $of in
        *.gz) gzip -dc "$of" ;;
        *.zst) zstd -dqc "$of" ;;
        *.lz4) lz4 -dqc "$of" ;;
        *.xz) xz -dqc "$of" ;;
        *.bz2) bzip2 -dqc "$of" ;;
        *) cat "$of" ;;
    esac
}
mapped() { [ -f "$map" ] && grep -q "^$1 " "$map"; }
piece_of() {
    at=$src/pg_tblspc/$1
    if [ ! -L "$at" ]; then echo "$at"; return; fi
    led=$(readlink "$at")
    case $led in
        "$inside"/*) echo "/mayday/bases/${led#"$inside"/}" ;;
        "$host"/*) echo "/mayday/bases/${led#"$host"/}" ;;
        /*) ;;
        *) echo "$src/pg_tblspc/$led" ;;
    esac
}
"""
