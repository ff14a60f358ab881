"""The folders of containers in the world: swapped by renames, never deleted nor overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from actions.engine.errors import RecoveryError
from actions.tools.folders import DataFolder, Room, RunDirectories
from actions.tools.names import Names
from tests.support.worlds.company import World


def nothing() -> None:
    """Nothing is swapped along."""


class WorldFolders:
    """The data folders of the world, for one run."""

    def __init__(self, world: World) -> None:
        self.world = world

    def room(self, data: DataFolder) -> Room:
        return Room("disk", self.world.free)

    def swappable(self, data: DataFolder, names: Names) -> str:
        return ""

    def users(self, data: DataFolder) -> Sequence[str]:
        return ()

    def leaves(self, data: DataFolder, names: Names) -> RunDirectories:
        live, clone = self.world.dirs.get(data.home.leaf), self.world.dirs.get(names.clone_leaf(data.home))
        before, aside = (
            leaf in self.world.dirs for leaf in (names.before_leaf(data.home), names.aside_leaf(data.home))
        )
        return RunDirectories(
            live is not None,
            clone is not None,
            before,
            aside,
            live.sealed if live else "",
            clone is not None and clone.sealed == names.run,
        )

    def complete(self, data: DataFolder, names: Names) -> None:
        leaf = names.clone_leaf(data.home)
        self.world.at_rest(leaf)
        if self.world.dirs[leaf].sealed != names.run:
            self.world.does("mark the clone complete", lambda: self.world.set_dir(leaf, sealed=names.run))

    def swap(
        self, data: DataFolder, names: Names, label: Mapping[str, str], along: Callable[[], None] = nothing
    ) -> None:
        live, clone, before = data.home.leaf, names.clone_leaf(data.home), names.before_leaf(data.home)
        seen = self.leaves(data, names)
        self.world.at_rest(live, clone, before)
        self.mark_kept(data, before, label)
        done = seen.live and seen.live_is_clone_of == names.run
        if not done and not seen.clone_complete:
            raise RecoveryError("The clone is not complete.", hint="Discard this run and ask again.")
        along()
        if done:
            return
        if seen.live:
            self.world.does("rename live to before", lambda: self.world.rename(live, before))
        self.world.does("rename clone to live", lambda: self.world.rename(clone, live))

    def swap_back(self, data: DataFolder, names: Names, along: Callable[[], None] = nothing) -> None:
        live, clone, before = data.home.leaf, names.clone_leaf(data.home), names.before_leaf(data.home)
        seen = self.leaves(data, names)
        self.world.at_rest(live, clone, before)
        along()
        if seen.before:
            if seen.live:
                self.world.does("rename live to clone", lambda: self.world.rename(live, clone))
            self.world.does("rename before to live", lambda: self.world.rename(before, live))
        if before in self.world.labels:
            self.world.does("take the label away", lambda: self._unlabelled(before))

    def _unlabelled(self, leaf: str) -> None:
        self.world.labels.pop(leaf)

    def set_aside(
        self, data: DataFolder, names: Names, label: Mapping[str, str], along: Callable[[], None] = nothing
    ) -> None:
        clone, aside = names.clone_leaf(data.home), names.aside_leaf(data.home)
        if clone in self.world.dirs:
            self.world.does("rename clone aside", lambda: self.world.rename(clone, aside))
        along()
        if aside in self.world.dirs:
            self.mark_kept(data, aside, label)

    def mark_kept(self, data: DataFolder, leaf: str, label: Mapping[str, str]) -> None:
        if self.world.labels.get(leaf) != label:
            self.world.does(f"label {leaf}", lambda: self.world.labels.__setitem__(leaf, dict(label)))
