"""The script that brings WAL segments together in one folder, wherever and however each copy is kept."""

from __future__ import annotations

# Says what a packed file holds. Those whose program the image lacks were unpacked beforehand.
UNPACK = r"""
unpack() {
    case $1 in
        *.gz) gzip -dc "$1" ;;
        *.zst) zstd -dqc "$1" ;;
        *.lz4) lz4 -dqc "$1" ;;
        *.xz) xz -dqc "$1" ;;
        *.bz2) bzip2 -dqc "$1" ;;
        *) echo "nobody knows how to unpack $1" >&2; return 65 ;;
    esac
}
full() { grep -qE 'No space left|Disk quota' "$1"; }
"""
PROGRAMS = {"gz": "gzip", "zst": "zstd", "lz4": "lz4", "xz": "xz", "bz2": "bzip2"}
"""The program of the script for each packed form."""

# Parameters: the folder to make, how many copies, their paths, then a command line, which is left in "$@". The
# names in the paths are checked to be names of WAL files before they come here, so that lists of them may be split
# at line breaks. One ln for all plain ones: a process for each of hundreds of segments would take seconds. A copy
# that cannot be unpacked is named, and the rest is left to whoever finds another copy.
GATHER = (
    UNPACK
    + r"""
set -f; umask 022
IFS='
'
d=$1 n=$2; shift 2
mkdir -p "$d" || exit 1
list=
while [ "$n" -gt 0 ]; do
    p=$1 n=$((n - 1)); shift
    s=${p##*/}
    case $s in
        *.*)
            s=${s%.*}
            if ! unpack "$p" >"$d/$s" 2>"$d/said"; then
                echo "cannot unpack $p: $(cat "$d/said")" >&2; rm -rf "$d"; exit 65
            fi ;;
        *) list="$list
$p" ;;
    esac
done
[ -z "$list" ] || ln -s $list "$d/" || exit 1
"""
)
