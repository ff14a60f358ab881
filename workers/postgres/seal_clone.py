"""The last touches to a clone's directory: nothing stale in it, told to recover, marked complete; and its archiver."""

from __future__ import annotations

import json
import re
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.controldata import parse_controldata
from actions.postgres.lsn import parse_lsn
from actions.postgres.recovery_conf import strip_auto_conf
from actions.postgres.segments import ENDINGS, parse_wal_name, segment_number, segment_of
from actions.postgres.server import Server
from actions.tools.names import Names
from workers.docker.confirmations import confirm, confirm_unused
from workers.docker.folder_swap import CLONE_MARK
from workers.docker.helper import HOME, checked
from workers.docker.text_files import put_text
from workers.docker.to_disk import SETTLE
from workers.postgres.server_helper import ServerHelper
from workers.postgres.server_swap import ServerSwap, confirm_cluster
from workers.postgres.wal_copies import Copies

_AUTO_CONF = "postgresql.auto.conf"
# Prints the settings that ALTER SYSTEM had left; exits with 67 where the mark of this very run is there already.
# A standby.signal that came along would win over recovery.signal, and make the clone a standby.
_PREPARE = r"""
cd "$1" || exit 64
if [ -f "$3" ] && grep -qF "\"$2\"" "$3"; then exit 67; fi
[ -f PG_VERSION ] && [ -f global/pg_control ] && [ -f backup_label ] || { echo "the copy is not whole" >&2; exit 65; }
[ ! -f postmaster.pid ] || mv postmaster.pid "postmaster.pid.before_$2" || exit 1
[ ! -f standby.signal ] || mv standby.signal "standby.signal.before_$2" || exit 1
if [ -f postgresql.auto.conf ] && [ ! -f "postgresql.auto.conf.before_$2" ]; then
    cp -p postgresql.auto.conf "postgresql.auto.conf.before_$2" || exit 1
fi
chmod 0700 . || exit 1
[ ! -f postgresql.auto.conf ] || cat postgresql.auto.conf
"""
# The mark says that all is there, also after a power failure: so all of it reaches the disk before the mark does.
# The server would have to do the same before it replays.
_COMPLETE = (
    SETTLE
    + r"""
umask 077
cd "$1" || exit 64
owner=$(stat -c %u:%g .)
: >recovery.signal && printf '%s\n' "$3" >".$2.draft" && chown "$owner" recovery.signal ".$2.draft" || exit 1
settle . /mayday/tablespaces/*/*_clone_"$4"
mv ".$2.draft" "$2" || exit 1
sync . 2>/dev/null || sync
"""
)
# A file that waits gets its turn once; one that is done or waiting already is left alone.
_OFFER = r"""
cd "$1" || exit 64
saved=$2; shift 2
owner=$(stat -c %u:%g .)
offer() {
    rm -f "archive_status/$1.done"
    [ -f "archive_status/$1.ready" ] || : >"archive_status/$1.ready"
    chown "$owner" "archive_status/$1.ready"
}
for s do
    if [ -f "$saved/$s" ]; then
        d=.$s.draft
        cp "$saved/$s" "$d" && chown "$owner" "$d" && chmod 0600 "$d" && mv "$d" "$s" || exit 1
    fi
    [ ! -f "$s" ] || offer "$s"
done
sync archive_status 2>/dev/null || sync
"""
# What waits in vain: the archive holds it, and an archive_command that keeps what is there would refuse it for ever.
_WITHDRAW = r"""
cd "$1/archive_status" 2>/dev/null || exit 0
shift
for ready in *.ready; do
    s=${ready%.ready}
    for form in "" "$@"; do
        [ ! -e "/mayday/archive/$s$form" ] || { mv -f "$ready" "$s.done" && echo "$s"; break; }
    done
done
sync . 2>/dev/null || sync
"""
# The history of the new timeline, the names of the segments that were saved and of those at hand, the control data.
_SURVEY = r"""
[ ! -f "$1/pg_wal/$2" ] || cat "$1/pg_wal/$2"
printf '\034'; [ ! -d "$3" ] || ls "$3"
printf '\034'; ls "$1/pg_wal"
printf '\034'; LC_ALL=C TZ=UTC pg_controldata "$1"
"""
_SEALED = 67
_SYNC_SECONDS = 1800
_FORK = re.compile(r"^[ \t]{0,9}(\d{1,10})\s{1,9}([0-9A-F]{1,8}/[0-9A-F]{1,8})", re.MULTILINE | re.ASCII)


class Seal:
    """Completes a clone's directory, and hands what it wrote to the archiver."""

    def __init__(self, helper: ServerHelper, client: Any, swap: ServerSwap, copies: Copies) -> None:
        self._helper = helper
        self._client = client
        self._swap = swap
        self._copies = copies

    def seal(self, server: Server, names: Names) -> None:
        """Strip stale settings, order the recovery, write the mark last. Nothing to do where it is there."""
        leaf = names.clone_leaf(server.home)
        confirm(self._client, server.service, server.container)
        confirm_unused(self._client, server.data, leaf)
        inside, path = self._helper.inside(server), f"{HOME}/{leaf}"
        prepared = inside.script(_PREPARE, path, names.run, CLONE_MARK)
        if prepared.code == _SEALED:
            return
        auto_conf = checked(prepared, "preparing the clone's directory")
        confirm_cluster(self._helper, server, leaf)
        kept, removed = strip_auto_conf(auto_conf)
        if removed:
            put_text(inside, f"{path}/{_AUTO_CONF}", kept, mode="0600")
        mark = json.dumps({"run": names.run})
        done = inside.script(_COMPLETE, path, CLONE_MARK, mark, names.run, seconds=_SYNC_SECONDS)
        checked(done, "completing the clone")

    def archive_history(self, server: Server, names: Names, history: str) -> None:
        """Offer the archiver what the clone could not archive while it stood apart: the history, and whole segments.

        What the archive holds in any form is not offered, be it good or bad: an archive_command that keeps what is
        there would refuse it for ever, and all that is written from now on would wait behind it.
        """
        leaf = self._leaf(server, names)
        wanted = [_history_name(history), *self._unarchived(server, names, leaf, history)]
        offered = [name for name in wanted if not self._copies.archived(server, name)]
        saved = f"{HOME}/{names.tail_leaf(server.home)}"
        done = self._helper.inside(server).script(_OFFER, f"{HOME}/{leaf}/pg_wal", saved, *offered)
        checked(done, "handing the new timeline to the archiver", "See that the clone was promoted, then retry.")

    def withdraw_archived(self, server: Server, names: Names) -> None:
        """Take back from the archiver what the old server archived after it was offered."""
        forms = [f".{form}" for form in ENDINGS]
        pg_wal = f"{HOME}/{self._leaf(server, names)}/pg_wal"
        checked(self._helper.inside(server).script(_WITHDRAW, pg_wal, *forms), "looking at what waits to be archived")

    def _leaf(self, server: Server, names: Names) -> str:
        """The directory of this run's clone, beside the live one or in its place; nobody uses it."""
        seen = self._swap.leaves(server, names)
        if not seen.clone_complete and seen.live_is_clone_of != names.run:
            raise RecoveryError(
                "This run's clone is not there.",
                detail=f"Looked in {server.home.parent}.",
                hint="Look at the run's journal, then retry.",
            )
        leaf = names.clone_leaf(server.home) if seen.clone_complete else server.home.leaf
        confirm_unused(self._client, server.data, leaf)
        return leaf

    def _unarchived(self, server: Server, names: Names, leaf: str, history: str) -> list[str]:
        """Saved segments of the old timeline before the fork, and whole ones of the new timeline after it."""
        done = self._helper.inside(server).script(
            _SURVEY, f"{HOME}/{leaf}", history, f"{HOME}/{names.tail_leaf(server.home)}"
        )
        told, saved, own, control = checked(done, "looking at what the clone wrote").split("\x1c")
        forks = _FORK.findall(told)
        if not forks:
            raise RecoveryError(
                f"The clone has no {history}.",
                detail=f"Looked in the pg_wal of {leaf}.",
                hint="It is written when the clone is promoted; promote it first.",
            )
        parent, fork = int(forks[-1][0]), segment_of(int(forks[-1][0]), parse_lsn(forks[-1][1]), server.segment_size)
        old = [name for name in _segments(saved) if int(name[:8], 16) == parent and name < fork]
        end = parse_controldata(control).checkpoint_lsn
        first, last = segment_number(fork, server.segment_size), end // server.segment_size
        new = [name for name in _segments(own) if name[:8] == history[:8]]
        return [*old, *(name for name in new if first <= segment_number(name, server.segment_size) < last)]


def _segments(listed: str) -> list[str]:
    found = (parse_wal_name(name) for name in listed.splitlines())
    return sorted(file.name for file in found if file and file.kind == "segment" and not file.compression)


def _history_name(history: str) -> str:
    file = parse_wal_name(history)
    if file is None or file.kind != "history":
        raise RecoveryError(
            "That is not a timeline history file.",
            detail=repr(history[:60]),
            hint="This is an error of Mayday; report it.",
        )
    return history
