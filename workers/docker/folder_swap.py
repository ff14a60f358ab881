"""The swap: two renames within one folder, each of which can be the last thing that happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from actions.engine.errors import RecoveryError
from actions.tools.folders import DataFolder, RunDirectories
from actions.tools.names import Names
from workers.docker.confirmations import confirm, confirm_unused
from workers.docker.exec import Inside
from workers.docker.helper import HOME, checked
from workers.docker.text_files import put_text
from workers.docker.to_disk import SETTLE

CLONE_MARK = "mayday.clone"
"""Lies in a clone's folder that is whole, and names its run."""

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


# The mark says that all is there, also after a power failure: so all of it reaches the disk before the mark does.
_COMPLETE = (
    SETTLE
    + r"""
umask 077
cd "$1" || exit 64
if [ -f "$2" ] && grep -qF "\"$4\"" "$2"; then exit 0; fi
owner=$(stat -c %u:%g .)
printf '%s\n' "$3" >".$2.draft" && chown "$owner" ".$2.draft" || exit 1
settle .
mv ".$2.draft" "$2" || exit 1
sync . 2>/dev/null || sync
"""
)
_SYNC_SECONDS = 1800


class Along(Protocol):
    """What is swapped together with a data folder, and what has to hold of each folder that takes part."""

    def confirm(self, leaf: str) -> None:
        """Refuse a folder that holds something else than the plan names."""

    def swap(self, label: Mapping[str, str]) -> None:
        """Before the data folder; as repeatable as the swap itself."""

    def swap_back(self) -> None: ...
    def set_aside(self, label: Mapping[str, str]) -> None: ...


class Alone:
    """Nothing is swapped along, and nothing is known of what the folders hold."""

    def confirm(self, leaf: str) -> None: ...
    def swap(self, label: Mapping[str, str]) -> None: ...
    def swap_back(self) -> None: ...
    def set_aside(self, label: Mapping[str, str]) -> None: ...


class FolderSwap:
    """Renames folders beside the live one of one container, for one run. Nothing is copied and nothing is removed."""

    def __init__(
        self,
        client: Any,
        inside: Callable[[], Inside],
        data: DataFolder,
        names: Names,
        along: Along | None = None,
    ) -> None:
        self._client, self._inside, self._data, self._names = client, inside, data, names
        self._along = along or Alone()

    def leaves(self) -> RunDirectories:
        """What exists, and whose clone the live folder is."""
        home, names = self._data.home, self._names
        done = self._inside().script(
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
        )

    def complete(self) -> None:
        """Mark the clone's folder as whole."""
        clone = self._names.clone_leaf(self._data.home)
        confirm(self._client, self._data.service, self._data.container)
        confirm_unused(self._client, self._data, clone)
        mark = json.dumps({"run": self._names.run})
        done = self._inside().script(
            _COMPLETE, f"{HOME}/{clone}", CLONE_MARK, mark, self._names.run, seconds=_SYNC_SECONDS
        )
        checked(done, "completing the clone")

    def swap(self, label: Mapping[str, str]) -> None:
        """Live to before, clone to live."""
        home, names, seen = self._data.home, self._names, self._seen_at_rest()
        live, clone, before = home.leaf, names.clone_leaf(home), names.before_leaf(home)
        # The label comes first: whenever the swap holds, the old directory says what it is.
        self.mark_kept(before, label)
        if not (seen.live and seen.live_is_clone_of == names.run):
            self._confirm_clone(seen, clone)
            if seen.live:
                self._along.confirm(live)
            elif not seen.before:
                raise self._lost()
        # First what is swapped along: what is checked above is so for a swap that goes on as well.
        self._along.swap(label)
        if not (seen.live and seen.live_is_clone_of == names.run):
            if seen.live:
                self._rename(live, before)
            self._rename(clone, live)

    def swap_back(self) -> None:
        """Live to clone, before to live."""
        home, names, seen = self._data.home, self._names, self._seen_at_rest()
        if not seen.before and not seen.live:
            raise self._lost()
        if seen.before and seen.live and seen.live_is_clone_of != names.run:
            raise RecoveryError(
                "The live directory is not this run's clone, so it is left where it is.",
                detail=f"It is marked as the clone of '{seen.live_is_clone_of or 'no run'}'.",
                hint=f"The old data lies in {home.parent}/{names.before_leaf(home)}.",
            )
        self._along.swap_back()
        if seen.before:
            if seen.live:
                self._rename(home.leaf, names.clone_leaf(home))
            self._rename(names.before_leaf(home), home.leaf)
        # The label goes last: as long as the old data bears the other name, it says what that is.
        self._unlabel()

    def _unlabel(self) -> None:
        self._inside().run(["rm", "-f", f"{HOME}/{_label(self._names.before_leaf(self._data.home))}"])

    def set_aside(self, label: Mapping[str, str]) -> None:
        """The clone's directory out of the way."""
        home, names = self._data.home, self._names
        clone, aside = names.clone_leaf(home), names.aside_leaf(home)
        confirm(self._client, self._data.service, self._data.container)
        confirm_unused(self._client, self._data, clone)
        seen = self.leaves()
        if seen.clone:
            self._rename(clone, aside)
        self._along.set_aside(label)
        # On a retry too, so that a death right after the rename leaves no directory without its label.
        if seen.clone or seen.aside:
            self.mark_kept(aside, label)

    def mark_kept(self, leaf: str, label: Mapping[str, str]) -> None:
        """Write beside a directory what it is and until when it is kept."""
        put_text(self._inside(), f"{HOME}/{_label(leaf)}", json.dumps(dict(label), sort_keys=True) + "\n")

    def _seen_at_rest(self) -> RunDirectories:
        home, names = self._data.home, self._names
        confirm(self._client, self._data.service, self._data.container)
        confirm_unused(self._client, self._data, home.leaf, names.clone_leaf(home), names.before_leaf(home))
        return self.leaves()

    def _rename(self, old: str, new: str) -> None:
        checked(
            self._inside().script(_RENAME, HOME, old, new),
            f"renaming {old} to {new}",
            "Retry goes on from there; no data was changed.",
        )

    def _confirm_clone(self, seen: RunDirectories, clone: str) -> None:
        if not seen.clone or not seen.clone_complete:
            raise RecoveryError(
                "The clone is not complete, so it cannot take the place of the live data.",
                detail=f"{self._data.home.parent}/{clone} {'has no mark' if seen.clone else 'is missing'}.",
                hint="Discard this run and ask again; the live data is as it was.",
            )
        self._along.confirm(clone)

    def _lost(self) -> RecoveryError:
        home, names = self._data.home, self._names
        return RecoveryError(
            "Neither the live directory nor the old one is where it should be.",
            detail=f"Looked for {home.leaf} and {names.before_leaf(home)} in {home.parent}.",
            hint="Look there by hand before anything is started.",
        )


def _label(leaf: str) -> str:
    return f"{leaf}.mayday.json"


def _run_of(mark: str) -> str:
    try:
        return str(json.loads(mark)["run"]) if mark.strip() else ""
    except (ValueError, KeyError, TypeError):
        return ""
