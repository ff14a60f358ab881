"""The script that brings WAL segments together in one folder, wherever and however each is kept."""

from __future__ import annotations

# Parameters: the folder to make, the live pg_wal, how many segments, their names, then a command line, which
# is left in "$@". Names are checked to be hexadecimal before they come here, so that lists of them may be
# split at line breaks. One ln for all: a process for each of hundreds of segments would take seconds.
GATHER = r"""
set -f; umask 022
IFS='
'
d=$1 own=$2 n=$3; shift 3
mkdir -p "$d" || exit 1
list=
while [ "$n" -gt 0 ]; do
    s=$1 n=$((n - 1)); shift
    a=/mayday/archive/$s
    if [ -f "$a" ]; then list="$list
$a"
    elif [ -f "$a.gz" ]; then gzip -dc "$a.gz" >"$d/$s" || exit 65
    elif [ -f "$a.zst" ]; then zstd -dqc "$a.zst" >"$d/$s" || exit 65
    elif [ -f "$a.lz4" ]; then lz4 -dqc "$a.lz4" >"$d/$s" || exit 65
    elif [ -f "$own/$s" ]; then list="$list
$own/$s"
    else echo "neither the archive nor the server holds the WAL segment $s" >&2; exit 66
    fi
done
[ -z "$list" ] || ln -s $list "$d/" || exit 1
"""
