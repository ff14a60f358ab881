"""When transactions ended, as the WAL itself says: few segments are opened, all in one command in the container."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from actions.postgres.server import Server
from actions.tools.postgres_files import CommitTimes, Stretch
from workers.docker.exec import shell
from workers.docker.helper import checked
from workers.postgres.gather_wal import UNPACK
from workers.postgres.server_helper import ServerHelper
from workers.postgres.wal_copies import Copies
from workers.postgres.wal_names import bare_name
from workers.postgres.wal_reader import confirm_names

# Parameters: a folder to make; then for each stretch its timeline, where it begins, the moment that is looked for, how
# many segments, and the paths of their copies, oldest first. Prints a line for each: the time of the record with
# which the timeline begins, the first end of a transaction, the last one, the last segment whose first end is at or
# before the moment, and the newest end at or before it.
#
# The segment is found by halving, which opens nine of five hundred; one in which no transaction ended tells nothing,
# so there the next one is asked. A segment's first end is mostly among its first records, so little of it is read.
_SCRIPT = (
    UNPACK
    + r"""
set -f
IFS='
'
d=$1; shift
mkdir -p "$d" || exit 1
get() {
    s=${1##*/}; s=${s%.*}
    [ ! -e "$d/$s" ] || return 0
    case ${1##*/} in
        *.*) unpack "$1" >"$d/$s" 2>/dev/null ;;
        *) ln -s "$1" "$d/$s" ;;
    esac
}
dump() {
    seg=$1 kind=$2; shift 2
    get "$seg" || return 0
    # The first segment of a timeline begins with what it has from its parent.
    [ -z "$from" ] || [ "$seg" != "$begins" ] || set -- "$@" -s "$from"
    pg_waldump -p "$d" -t "$tli" -r "$kind" "$@" "$s" "$s" 2>/dev/null
    rm -f "$d/$s"
}
ends='/desc: (COMMIT|ABORT)/ {
    if (match($0, /desc: (COMMIT|ABORT)[_A-Z]* ([0-9]+: )?[0-9]+-[0-9]+-[0-9]+ [0-9:.]+ /)) {
        n = split(substr($0, RSTART, RLENGTH), w, " "); t = w[n - 1] "T" w[n]
        if (only_first) { print t; exit }
        if (!at || t <= at) found = t
    }
}
END { if (!only_first && found) print found }'
first_in() {
    t=$(dump "$1" Transaction -n 64 | awk -v only_first=1 "$ends")
    [ -n "$t" ] || t=$(dump "$1" Transaction | awk -v only_first=1 "$ends")
    printf %s "$t"
}
last_in() { dump "$1" Transaction | awk -v at="$2" "$ends"; }
begun_in() {
    dump "$1" XLOG -n 8 | awk '/desc: END_OF_RECOVERY/ && match($0, /time [0-9]+-[0-9]+-[0-9]+ [0-9:.]+/) {
        split(substr($0, RSTART, RLENGTH), w, " "); print w[2] "T" w[3]; exit }'
}
tell() {
    begins=$1 began= first= last= here= newest=
    if [ -n "$from" ]; then
        began=$(begun_in "$1")
        for seg do first=$(first_in "$seg"); [ -z "$first" ] || break; done
    fi
    i=$#
    while [ "$i" -gt 0 ] && [ -z "$last" ]; do eval "last=\$(last_in \"\${$i}\")"; i=$((i - 1)); done
    if [ -n "$at" ]; then
        low=0 high=$(($# + 1))
        while [ $((high - low)) -gt 1 ]; do
            middle=$(((low + high) / 2)) j=$(((low + high) / 2)) t=
            while [ "$j" -lt "$high" ] && [ -z "$t" ]; do eval "t=\$(first_in \"\${$j}\")"; j=$((j + 1)); done
            if [ -n "$t" ] && ! [ "$t" \> "$at" ]; then low=$((j - 1)); else high=$middle; fi
        done
        if [ "$low" -gt 0 ]; then eval "here=\${$low}"; newest=$(last_in "$here" "$at"); fi
    fi
    printf '%s|%s|%s|%s|%s\n' "$began" "$first" "$last" "$here" "$newest"
}
while [ $# -gt 0 ]; do
    tli=$1 from=$2 at=$3 n=$4; shift 4
    list=
    while [ "$n" -gt 0 ]; do list="$list
$1"; n=$((n - 1)); shift; done
    tell $list
done
rm -rf "$d"
"""
)
_SECONDS = 300


def moments(
    helper: ServerHelper, copies: Copies, server: Server, stretches: Sequence[Stretch], at: datetime | None
) -> list[CommitTimes]:
    """What is asked for each stretch, in their order."""
    wanted = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") if at else ""
    told: list[str] = []
    for stretch in stretches:
        confirm_names(stretch.segments)
        paths = copies.some(server, stretch.segments)
        told += [str(stretch.timeline), stretch.start, wanted, str(len(paths)), *paths]
    place = f"/var/tmp/mayday.{uuid.uuid4().hex}"
    done = helper.inside(server).run(shell(_SCRIPT, place, *told), seconds=_SECONDS, env={"TZ": "UTC", "LC_ALL": "C"})
    said = checked(done, "looking for moments in the WAL", "See that the archive can be read, then retry.")
    return [_read(line) for line in said.splitlines()]


def _read(line: str) -> CommitTimes:
    began, first, last, segment, newest = line.split("|")
    return CommitTimes(_moment(began), _moment(first), _moment(last), bare_name(segment), _moment(newest))


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(f"{text}+00:00") if text else None
