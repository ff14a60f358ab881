"""The files of a standby to be, and what is done from its networks: the passfile, the copy, the settings."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from actions.postgres.data_directory import DataDirectory
from actions.postgres.following import PrimaryAddress
from actions.postgres.scram import scram_verifier
from actions.postgres.server import Server
from actions.tools.names import Names
from actions.tools.progress import Progress
from actions.tools.sql import LoginRefused
from tests.support.worlds.company import LEAF, Dir, Violated
from tests.support.worlds.files import WorldFiles
from tests.support.worlds.wal import SYSTEM

OTHER_SYSTEM = "7711024105692499999"


class PairFiles(WorldFiles):
    """The files of both servers."""

    world: Any

    def control(self, server: Server, leaf: str) -> str:
        here = self.world.dirs.get(leaf)
        return super().control(server, leaf).replace(SYSTEM, self.world.systems.get(here.id if here else "", SYSTEM))

    def data_directory(self, server: Server) -> DataDirectory:
        if server.home.leaf == LEAF:
            return super().data_directory(server)
        here = self.world.dirs[server.home.leaf]
        if self.world.systems.get(here.id) == "":
            return DataDirectory("", "it is empty", owner="0:0", empty=True)
        control = self.control(server, server.home.leaf)
        return DataDirectory(control, owner="999:999", version="15", pid_file="1\n")


class PairStandbys:
    """What the steps ask of the standby's side. A copy needs the slot, the role, the rule and the right password."""

    def __init__(self, world: Any) -> None:
        self.world = world

    def major(self, server: Server) -> int:
        return int(self.world.major)

    def has_tables(self, server: Server) -> bool:
        return bool(self.world.tables)

    def reaches(self, server: Server, upstream: PrimaryAddress) -> str:
        return str(self.world.reached)

    def passfile(self, server: Server, names: Names) -> str:
        return str(self.world.passfiles.get(server.service, ""))

    def own_passfile(self, server: Server) -> str:
        return str(self.world.own_passfile)

    def lay_passfile(self, server: Server, names: Names, line: str) -> None:
        self.world.does("lay the passfile", lambda: self.world.passfiles.__setitem__(server.service, line))

    def withdraw_passfile(self, server: Server, names: Names) -> None:
        if server.service in self.world.passfiles:
            self.world.does("remove the passfile", lambda: self.world.passfiles.pop(server.service))

    def identify(self, server: Server, names: Names, upstream: PrimaryAddress) -> str:
        line = self.world.passfiles.get(server.service, "")
        role, _, password = line.strip().rpartition(":")
        kept = self.world.verifiers.get(role.rpartition(":")[2], "")
        if not (line and kept and self.world.rules and _fits(password, kept)):
            raise LoginRefused("It lets nobody in.", detail="password authentication failed", hint="Look at it.")
        return SYSTEM

    def copy(
        self, server: Server, names: Names, upstream: PrimaryAddress, total: int, progress: Progress, rate: str = ""
    ) -> None:
        self.identify(server, names, upstream)
        if upstream.slot not in self.world.slots:
            raise Violated("it was copied without its slot")
        leaf, live = names.clone_leaf(server.home), self.world.live
        if leaf in self.world.dirs and self.world.dirs[leaf].whole:
            return
        began = Dir(f"copy of {names.run}", live.timeline, live.lsn, live.timeline, whole=False)
        if leaf not in self.world.dirs:
            self.world.does("begin the copy", lambda: self.world.dirs.__setitem__(leaf, began))
        progress(total / 2, total, "half")
        self.world.does("finish the copy", lambda: self.world.set_dir(leaf, whole=True))

    def copied(self, server: Server, names: Names) -> bool:
        here = self.world.dirs.get(names.clone_leaf(server.home))
        return here is not None and here.whole

    def follow(self, server: Server, names: Names, settings: str) -> None:
        leaf = names.clone_leaf(server.home)
        self.world.at_rest(leaf)
        if not self.world.dirs[leaf].whole:
            raise Violated("what is not whole was made to follow")
        if not self.world.dirs[leaf].signal:
            self.world.does("make it follow", lambda: self.world.set_dir(leaf, signal=True))

    def lay_rule(self, server: Server, hba_file: str, run: str, rule: str) -> None:
        if run not in self.world.rules:
            self.world.does("lay the rule", lambda: self.world.rules.__setitem__(run, rule))

    def withdraw_rule(self, server: Server, hba_file: str, run: str) -> None:
        if run in self.world.rules:
            self.world.does("withdraw the rule", lambda: self.world.rules.pop(run))


def _fits(password: str, kept: str) -> bool:
    """Whether that password has that verifier, as the server finds out."""
    iterations, salt = kept.split("$")[1].split(":")
    return scram_verifier(password, b64decode(salt), int(iterations)) == kept
