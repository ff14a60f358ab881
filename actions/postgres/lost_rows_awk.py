"""The count of lost rows as an awk program: the worker pipes pg_waldump into it where the WAL lies.

It needs POSIX awk only, which every image of the server has, and is as fast as pg_waldump itself.
"""

from __future__ import annotations

from actions.postgres.stops import Stop

LOSSES_AWK = r"""
# Variables: stop (16 hex digits), inclusive (0 or 1).
BEGIN { FS = "," }

/^rmgr: Heap/ {
    verb = substr($5, 8)
    plus = index(verb, "+"); space = index(verb, " ")
    if (plus && (!space || plus < space)) verb = substr(verb, 1, plus - 1)
    else if (space) verb = substr(verb, 1, space - 1)
    if (verb == "INSERT") column = 1
    else if (verb == "DELETE") column = 3
    else if (verb == "HOT_UPDATE" || verb == "UPDATE") column = 2
    else if (verb == "MULTI_INSERT") column = 1
    else next
    at = index($0, "blkref #0: rel ")
    if (!at) next
    rest = substr($0, at + 15, 40)
    relation = substr(rest, 1, index(rest, " ") - 1)
    many = 1
    if (verb == "MULTI_INSERT") {
        words = split($5, word, " ")
        many = (word[3] == "ntuples:") ? word[4] + 0 : word[3] + 0
    }
    xid = substr($2, 5) + 0
    # One string per open transaction keeps memory small: most touch few relations.
    key = xid SUBSEP relation SUBSEP column
    if (!(key in rows)) touched[xid] = touched[xid] "\t" relation SUBSEP column
    rows[key] += many
    next
}

/^rmgr: Transaction/ {
    if ($5 !~ /^ desc: (COMMIT|ABORT)/) next
    committed = ($5 ~ /^ desc: COMMIT/)
    split(substr($3, 7), half, "/")
    place = "x" substr("00000000" half[1], length(half[1]) + 1) substr("00000000" half[2], length(half[2]) + 1)
    lost = committed && (inclusive ? place > ("x" stop) : place >= ("x" stop))
    split($5, part, ";")
    words = split(part[1], word, " ")
    xid = substr($2, 5) + 0
    # "desc: COMMIT_PREPARED 740: 2026-…" names the transaction that had been prepared.
    if (word[3] ~ /^[0-9]+:$/) xid = word[3] + 0
    if (lost) {
        commits++
        moment = word[words - 2] " " word[words - 1]
        if (!first) first = moment
        last = moment
    }
    close_one(xid)
    if (at = index($0, "; subxacts: ")) {
        list = substr($0, at + 12)
        if (semicolon = index(list, ";")) list = substr(list, 1, semicolon - 1)
        subs = split(list, sub_xid, " ")
        for (i = 1; i <= subs; i++) close_one(sub_xid[i] + 0)
    }
    if (lost && (at = index($0, "; rels: "))) {
        list = substr($0, at + 8)
        if (semicolon = index(list, ";")) list = substr(list, 1, semicolon - 1)
        files = split(list, file, " ")
        for (i = 1; i <= files; i++) gone[file[i]] = 1
    }
}

function close_one(xid,    n, j, pair, key, parts) {
    if (!(xid in touched)) return
    n = split(substr(touched[xid], 2), pair, "\t")
    for (j = 1; j <= n; j++) {
        key = xid SUBSEP pair[j]
        if (lost) {
            split(pair[j], parts, SUBSEP)
            relations[parts[1]] = 1
            total[pair[j]] += rows[key]
        }
        delete rows[key]
    }
    delete touched[xid]
}

END {
    printf "commits\t%d\n", commits
    if (commits) { print "first\t" first; print "last\t" last }
    for (relation in relations)
        printf "rel\t%s\t%d\t%d\t%d\n", relation,
            total[relation SUBSEP 1], total[relation SUBSEP 2], total[relation SUBSEP 3]
    for (path in gone) print "gone\t" path
    print "end"
}
"""


def losses_argv(stop: Stop, awk: str = "awk") -> list[str]:
    """The command to pipe pg_waldump (-r Heap -r Heap2 -r Transaction, with TZ=UTC and LC_ALL=C) into."""
    place = f"{stop.lsn >> 32:08X}{stop.lsn & 0xFFFFFFFF:08X}"
    return [awk, "-v", f"stop={place}", "-v", f"inclusive={int(stop.inclusive)}", LOSSES_AWK]
