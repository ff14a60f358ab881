"""The swap: two renames within one folder, each of which can be the last thing that happens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.controldata import parse_controldata
from actions.postgres.server import Names, Server
from actions.postgres.walheader import identity_of
from actions.tools.files import RunDirectories
from workers.docker.confirmations import confirm, confirm_unused
from workers.docker.helper import HOME, Helper, checked
from workers.docker.text_files import put_text
from workers.postgres.base_checks import CLONE_MARK
from workers.postgres.folders import control, wal_headers
from workers.postgres.tablespace_swap import TablespaceSwap

_SEE = r"""
cd "$1" || exit 64
for leaf in "$2" "$3" "$4" "$5"; do
    if [ -d "$leaf" ]; then echo yes; else echo no; fi
done
for leaf in "$2" "$3"; do
    if [ -f "$leaf/$6" ]; then tr -d '\n' <"$leaf/$6"; fi
    echo
done
"""
# mv would go into a directory that exists, and a rename that is not synced may be lost with the power.
_RENAME = r"""
cd "$1" || exit 64
[ -d "$2" ] && [ ! -e "$3" ] || { echo "$2 is missing, or $3 is in the way" >&2; exit 65; }
mv "$2" "$3" || exit 1
sync "$1" 2>/dev/null || sync
"""


class Swap:
    """Renames directories beside the live one. Nothing is copied and nothing is removed."""

    def __init__(self, helper: Helper, client: Any) -> None:
        self._helper = helper
        self._client = client
        self._spaces = TablespaceSwap(helper, client)

    def leaves(self, server: Server, names: Names) -> RunDirectories:
        """What exists, and whose clone the live directory is."""
        home = server.home
        done = self._helper.inside(server).script(
            _SEE, HOME, home.leaf, names.clone_leaf(home), names.before_leaf(home), names.aside_leaf(home), CLONE_MARK
        )
        live, clone, before, aside, live_mark, clone_mark = checked(done, "looking at the directories").split("\n")[:6]
        return RunDirectories(
            live == "yes",
            clone == "yes",
            before == "yes",
            aside == "yes",
            live_is_clone_of=_run_of(live_mark),
            clone_complete=_run_of(clone_mark) == names.run,
            tablespaces=self._spaces.states(server, names),
        )

    def swap(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        """Live to before, clone to live."""
        home, seen = server.home, self._seen_at_rest(server, names)
        live, clone, before = home.leaf, names.clone_leaf(home), names.before_leaf(home)
        # The label comes first: whenever the swap holds, the old directory says what it is.
        self.mark_kept(server, before, label)
        if not (seen.live and seen.live_is_clone_of == names.run):
            self._confirm_clone(server, seen, clone)
            if seen.live:
                self._confirm_cluster(server, live)
            elif not seen.before:
                raise self._lost(server, names)
        # First the tablespaces: what is checked above is so for a swap that goes on as well.
        self._spaces.swap(server, names, label)
        if not (seen.live and seen.live_is_clone_of == names.run):
            if seen.live:
                self._rename(server, live, before)
            self._rename(server, clone, live)

    def swap_back(self, server: Server, names: Names) -> None:
        """Live to clone, before to live."""
        home, seen = server.home, self._seen_at_rest(server, names)
        if not seen.before and not seen.live:
            raise self._lost(server, names)
        if seen.before and seen.live and seen.live_is_clone_of != names.run:
            raise RecoveryError(
                "The live directory is not this run's clone, so it is left where it is.",
                code="MD-PG-083",
                detail=f"It is marked as the clone of '{seen.live_is_clone_of or 'no run'}'.",
                hint=f"The old data lies in {home.parent}/{names.before_leaf(home)}.",
            )
        self._spaces.swap_back(server, names)
        if seen.before:
            if seen.live:
                self._rename(server, home.leaf, names.clone_leaf(home))
            self._rename(server, names.before_leaf(home), home.leaf)
        # The label goes last: as long as the old data bears the other name, it says what that is.
        self._unlabel(server, names)

    def _unlabel(self, server: Server, names: Names) -> None:
        self._helper.inside(server).run(["rm", "-f", f"{HOME}/{_label(names.before_leaf(server.home))}"])

    def set_aside(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        """The clone's directory out of the way."""
        home = server.home
        clone, aside = names.clone_leaf(home), names.aside_leaf(home)
        confirm(self._client, server.service, server.container)
        confirm_unused(self._client, server, clone)
        seen = self.leaves(server, names)
        if seen.clone:
            self._rename(server, clone, aside)
        self._spaces.set_aside(server, names, label)
        # On a retry too, so that a death right after the rename leaves no directory without its label.
        if seen.clone or seen.aside:
            self.mark_kept(server, aside, label)

    def mark_kept(self, server: Server, leaf: str, label: Mapping[str, str]) -> None:
        """Write beside a directory what it is and until when it is kept."""
        put_text(self._helper.inside(server), f"{HOME}/{_label(leaf)}", json.dumps(dict(label), sort_keys=True) + "\n")

    def _seen_at_rest(self, server: Server, names: Names) -> RunDirectories:
        home = server.home
        confirm(self._client, server.service, server.container)
        confirm_unused(self._client, server, home.leaf, names.clone_leaf(home), names.before_leaf(home))
        return self.leaves(server, names)

    def _rename(self, server: Server, old: str, new: str) -> None:
        checked(
            self._helper.inside(server).script(_RENAME, HOME, old, new),
            f"renaming {old} to {new}",
            "Retry goes on from there; no data was changed.",
        )

    def _confirm_clone(self, server: Server, seen: RunDirectories, clone: str) -> None:
        if not seen.clone or not seen.clone_complete:
            raise RecoveryError(
                "The clone is not complete, so it cannot take the place of the live data.",
                code="MD-PG-084",
                detail=f"{server.home.parent}/{clone} {'has no mark' if seen.clone else 'is missing'}.",
                hint="Discard this run and ask again; the live data is as it was.",
            )
        self._confirm_cluster(server, clone)

    def _confirm_cluster(self, server: Server, leaf: str) -> None:
        confirm_cluster(self._helper, server, leaf)

    def _lost(self, server: Server, names: Names) -> RecoveryError:
        home = server.home
        return RecoveryError(
            "Neither the live directory nor the old one is where it should be.",
            code="MD-PG-085",
            detail=f"Looked for {home.leaf} and {names.before_leaf(home)} in {home.parent}.",
            hint="Look there by hand before anything is started.",
        )


def confirm_cluster(helper: Helper, server: Server, leaf: str) -> None:
    """Refuse a directory that holds another cluster than the plan names."""
    found = _system_of(helper, server, leaf)
    if found != server.system_identifier:
        raise RecoveryError(
            "The directory holds another cluster than the plan names.",
            code="MD-PG-086",
            detail=f"{leaf}: system identifier {found}; the plan: {server.system_identifier}.",
            hint="It is not a backup of this server. Choose another one.",
        )


def _system_of(helper: Helper, server: Server, leaf: str) -> str:
    """The system identifier; of a live directory whose control file the plan calls damaged, from its WAL."""
    if server.control_damaged and leaf == server.home.leaf:
        told = identity_of(wal_headers(helper, server))
        return told.system_identifier if told else "not to be read"
    return parse_controldata(control(helper, server, leaf)).system_identifier


def _label(leaf: str) -> str:
    return f"{leaf}.mayday.json"


def _run_of(mark: str) -> str:
    try:
        return str(json.loads(mark)["run"]) if mark.strip() else ""
    except (ValueError, KeyError, TypeError):
        return ""
