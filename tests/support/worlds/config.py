"""The configuration files of the world's data directories: what ALTER SYSTEM had set when, and a rule of access."""

from __future__ import annotations

import hashlib

from actions.engine.errors import RecoveryError
from actions.postgres.config_changes import Changes, digest_of
from actions.postgres.config_files import AUTO_CONF, ConfigFile, ConfigTree
from actions.postgres.server import Server
from actions.tools.names import Names
from tests.support.worlds.company import LEAF, Violated, World

OF_THE_BACKUP = (("pg_hba.conf", "local all all trust\n"), (AUTO_CONF, "work_mem = '4MB'\n"))


class WorldConfiguration:
    """Configuration files; a part of the files of the world."""

    world: World

    def configuration(self, server: Server, leaf: str = "", backup: str = "") -> tuple[ConfigTree, ConfigTree]:
        there = backup in self.world.backups or leaf in self.world.dirs
        other = OF_THE_BACKUP if backup else self.world.dirs[leaf].config if there else ()
        live = self.world.dirs[LEAF].config if LEAF in self.world.dirs else None
        return _tree(live), _tree(other if there else None)

    def lay_configuration(self, server: Server, names: Names, changes: Changes) -> None:
        leaf = names.clone_leaf(server.home)
        self.world.at_rest(leaf)
        if leaf == LEAF:
            raise Violated("somebody writes into the live directory")
        for one in changes.lays:
            live = _tree(self.world.dirs[LEAF].config).files.get(one.path)
            if live is None or digest_of(live) != one.digest:
                raise RecoveryError("The configuration has changed since it was shown.", hint="Undo, and ask again.")
            self._lay(leaf, live, f"{one.path}.before_{names.run}")
        for path in changes.away:
            if path in dict(self.world.dirs[leaf].config):
                self._moves(leaf, path, f"{path}.before_{names.run}")

    def _lay(self, leaf: str, live: ConfigFile, before: str) -> None:
        here = dict(self.world.dirs[leaf].config)
        if here.get(live.path) == live.text:
            return
        if live.path in here and before not in here:
            self._moves(leaf, live.path, before)
        laid = {**dict(self.world.dirs[leaf].config), live.path: str(live.text)}
        self.world.does(f"lay {live.path}", lambda: self._set(leaf, laid))

    def _moves(self, leaf: str, path: str, before: str) -> None:
        here = dict(self.world.dirs[leaf].config)
        moved = {before if name == path else name: text for name, text in here.items()}
        self.world.does(f"move {path} aside", lambda: self._set(leaf, moved))

    def _set(self, leaf: str, files: dict[str, str]) -> None:
        self.world.set_dir(leaf, config=tuple(sorted(files.items())))


def _tree(config: tuple[tuple[str, str], ...] | None) -> ConfigTree:
    if config is None:
        return ConfigTree(False)
    files = {path: ConfigFile(path, hashlib.sha256(text.encode()).hexdigest(), text) for path, text in config}
    return ConfigTree(True, files, prepared=0)
