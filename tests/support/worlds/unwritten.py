"""Slots and prepared transactions of the world's servers, which no WAL brings back or ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from actions.postgres.besides_sql import PREPARED
from actions.postgres.replication_slots import SLOTS
from actions.postgres.server import Server
from actions.tools.names import Names
from tests.support.worlds.company import LEAF, Violated, World

_MAKE = re.compile(r"pg_create_physical_replication_slot\('(\w+)'")
_WANTED = re.compile(r"slot_name in \(([^)]*)\)")
_END = re.compile(r"(?:commit|rollback) prepared '([\w-]+)'")


class UnwrittenFiles:
    """Their files; a part of the files of the world."""

    world: World

    def slot_states(self, server: Server) -> Sequence[bytes]:
        return []

    def prepared_states(self, server: Server, names: Names) -> Sequence[bytes]:
        return []

    def prepared_records(
        self, server: Server, names: Names, stretches: Sequence[tuple[int, str, str]], at: str = ""
    ) -> Sequence[str]:
        return [
            f"rmgr: Transaction len (rec/tot):    242/   242, tx:        {n}, lsn: {stretches[-1][1]}, "
            f"prev 0/0195A030, desc: PREPARE gid {gid}: 2026-02-09 08:20:00.000001 UTC"
            for n, gid in enumerate(sorted(self.world.prepared), 727)
        ]

    def first_relation(
        self, server: Server, names: Names, stretches: Sequence[tuple[int, str, str]], xid: int
    ) -> Sequence[str]:
        return ["desc: INSERT off 3, blkref #0: rel 1663/16384/16412 blk 0"]


class UnwrittenSql:
    """Answers about them; a part of the servers' answers."""

    world: World

    def about_snapshot(self) -> list[dict[str, Any]]:
        some = bool(self.world.prepared)
        return [{"most": 10 if some else 0, "running": some, "names": {"16384": "nself_db"}}]

    def end_prepared(self, container: str, sql: str) -> list[dict[str, Any]]:
        found, leaf = _END.search(sql), self.world.mounted[container]
        if found is None or found[1] not in self.world.dirs[leaf].prepared:
            raise Violated(f"there is no such prepared transaction: {sql}")
        left = self.world.dirs[leaf].prepared - {found[1]}
        self.world.does(sql, lambda: self.world.set_dir(leaf, prepared=left))
        return []

    def told(self, container: str, sql: str) -> Any:
        """The value of a question about them; None for any other question."""
        leaf = self.world.mounted[container]
        here = self.world.dirs[leaf]
        if sql == SLOTS:
            return [{"slot_name": name, "slot_type": "physical"} for name in sorted(here.slots)]
        if sql == PREPARED:
            return [{"gid": gid, "xid": "727", "database": "nself_db", "owner": "app"} for gid in sorted(here.prepared)]
        if made := _MAKE.search(sql):
            if leaf != LEAF:
                raise Violated("a slot was made on a server that is not in service")
            self.world.does(f"make slot {made[1]}", lambda: self.world.set_dir(leaf, slots=here.slots | {made[1]}))
            return made[1]
        if wanted := _WANTED.search(sql):
            return {"there": [name for name in sorted(here.slots) if f"'{name}'" in wanted[1]], "room": True}
        return None
