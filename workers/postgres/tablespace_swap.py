"""The tablespaces of a swap: in each location the server's version folder is renamed, the clone's takes its place.

The clone's files lie in a folder of their own beside the live ones, `<leaf>_clone_<run>/<leaf>`, since the clone's
server has to see a location, and one of its own. Every rename can be the last thing that happens, so what a location
held when the swap began is noted first, in the label of what is kept; from the note and from what exists the rest
follows, forwards and back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace
from actions.tools.names import Names
from workers.docker.confirmations import confirm_paths_unused
from workers.docker.helper import checked
from workers.postgres.server_helper import ServerHelper, location_of

_EACH = r"""
run=$1 label=$2; shift 2
missing() { echo "in a tablespace's location $*" >&2; exit 65; }
move() { mv "$1" "$2" && { sync . 2>/dev/null || sync; }; }
noted() { grep -qF "\"$1\": \"yes\"" "$note"; }
note_down() {
    printf '%s\n' "$2" >".$1.draft" && { sync ".$1.draft" 2>/dev/null || sync; } && mv ".$1.draft" "$1" || exit 1
}
while [ $# -gt 0 ]; do
    cd "$1" || exit 64
    leaf=$2; shift 2
    kept=${leaf}_before_$run mine=${leaf}_clone_$run aside=${leaf}_discarded_$run note=${leaf}_before_$run.mayday.json
    work || exit 1
done
"""
# What is empty and our own is removed: the folder that held the clone's files, and one kept where nothing was.
SWAP = (
    r"""
yes_if() { if [ -d "$1" ]; then echo yes; else echo no; fi; }
work() {
    if [ ! -f "$note" ]; then
        [ -d "$mine" ] || missing "there is no $mine"
        told="\"files_before\": \"$(yes_if "$leaf")\", \"files_after\": \"$(yes_if "$mine/$leaf")\""
        note_down "$note" "${label%\}}, $told}"
    fi
    if [ ! -d "$kept" ]; then
        if noted files_before; then move "$leaf" "$kept"; else mkdir -m 0700 "$kept"; fi || return 1
    fi
    if [ -d "$mine/$leaf" ]; then
        [ ! -e "$leaf" ] || missing "$leaf is in the way"
        move "$mine/$leaf" "$leaf" || return 1
    fi
    [ ! -d "$mine" ] || rmdir "$mine"
}
"""
    + _EACH
)
SWAP_BACK = (
    r"""
work() {
    [ -f "$note" ] || return 0
    if [ ! -d "$mine" ]; then mkdir -m 0700 "$mine" && chown "$(stat -c %u:%g .)" "$mine" || return 1; fi
    if [ -d "$leaf" ] && [ -d "$kept" ] && [ ! -d "$mine/$leaf" ]; then move "$leaf" "$mine/$leaf" || return 1; fi
    if [ -d "$kept" ] && noted files_before; then
        [ ! -e "$leaf" ] || missing "$leaf is in the way"
        move "$kept" "$leaf" || return 1
    elif [ -d "$kept" ]; then rmdir "$kept" || return 1
    fi
    rm -f "$note"
}
"""
    + _EACH
)
SET_ASIDE = (
    r"""
work() {
    if [ -d "$mine" ] && ! rmdir "$mine" 2>/dev/null; then
        [ ! -e "$aside" ] || missing "$aside is in the way"
        move "$mine" "$aside" || return 1
    fi
    [ ! -d "$aside" ] || note_down "$aside.mayday.json" "$label"
}
"""
    + _EACH
)
SEE = (
    r"""
work() {
    if [ -f "$note" ] && [ -d "$kept" ] && [ ! -d "$mine" ]; then echo new
    elif [ -f "$note" ]; then echo between
    else echo old
    fi
}
"""
    + _EACH
)


class TablespaceSwap:
    """Renames the version folders of all locations; one command for all of them, since writers wait meanwhile."""

    def __init__(self, helper: ServerHelper, client: Any) -> None:
        self._helper = helper
        self._client = client

    def states(self, server: Server, names: Names) -> tuple[str, ...]:
        """Of each location: `old` (nothing was swapped), `new` (the clone's files are live), or `between`."""
        return tuple(self._each(server, names, SEE, {}, "looking at the tablespaces").split())

    def swap(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        """Live to before, clone to live, in each location; goes on where it was interrupted."""
        self._unused(server, names)
        self._each(server, names, SWAP, label, "swapping the tablespaces")

    def swap_back(self, server: Server, names: Names) -> None:
        """The reverse; nothing to do in a location where the swap never began."""
        self._unused(server, names)
        self._each(server, names, SWAP_BACK, {}, "swapping the tablespaces back")

    def set_aside(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        """The clone's files out of the way."""
        self._unused(server, names)
        self._each(server, names, SET_ASIDE, label, "setting the clone's tablespaces aside")

    def _unused(self, server: Server, names: Names) -> None:
        leaves = [(space.parent, leaf) for space in beside(server) for leaf in (space.leaf, names.clone_leaf(space))]
        confirm_paths_unused(self._client, [f"{parent}/{leaf}" for parent, leaf in leaves])

    def _each(self, server: Server, names: Names, work: str, label: Mapping[str, str], doing: str) -> str:
        places = [part for space in beside(server) for part in (location_of(space), space.leaf)]
        if not places:
            return ""
        text = json.dumps(dict(label), sort_keys=True)
        done = self._helper.inside(server).script(work, names.run, text, *places)
        return checked(done, doing, "Retry goes on from there; no data was changed.")


def triples(server: Server, names: Names) -> list[str]:
    """For scripts: the oid of each tablespace, its location for the server, and the folder of the clone's own."""
    return [
        part
        for space in beside(server)
        for oid in space.oids
        for part in (str(oid), space.location, f"{location_of(space)}/{names.clone_leaf(space)}")
    ]


def beside(server: Server) -> tuple[Tablespace, ...]:
    """The tablespaces that can be worked on from the Docker host."""
    return tuple(space for space in server.tablespaces if space.parent)
