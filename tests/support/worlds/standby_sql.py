"""The answers of a primary and of its standby to be to the statements with which a standby is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.lsn import format_lsn
from actions.postgres.primary_state import LIMITS
from actions.postgres.replication import REPLICATION_SQL
from actions.postgres.server import Server
from actions.tools.sql import NotServing, QueryResult
from tests.support.worlds.company import SITE, Dir, Violated
from tests.support.worlds.sql import WorldSql
from tests.support.worlds.wal import SYSTEM


class PairSql(WorldSql):
    """Asks either server."""

    world: Any

    def rows(
        self, container: str, server: Server, sql: str, *, seconds: float = 30, database: str = ""
    ) -> list[dict[str, Any]]:
        here = self._here(container, server)
        if self.world.refuses and self.world.refuses in sql:
            raise RecoveryError(f"PostgreSQL in {container} refused a query.", detail="as asked", hint="Retry.")
        if "pg_is_in_recovery() as recovering" in sql:
            return [{"recovering": here.signal}]
        if "as sessions" in sql:
            return [{"sessions": self.world.sessions}]
        for words, answer in self._of_primary().items():
            if words in sql:
                return answer(sql)
        return super().rows(container, server, sql, seconds=seconds, database=database)

    def _here(self, container: str, server: Server) -> Dir:
        if container == SITE.postgres:
            return self._connect(container, server)
        if not self.world.runs(container):
            raise NotServing(f"{container} does not accept connections.", hint="Start it.")
        found: Dir = self.world.dirs[self.world.mounted[container]]
        if found.id.startswith("copy") and not found.signal:
            raise Violated("a copy was started that follows nobody: a second primary")
        return found

    # The primary ---------------------------------------------------------------------------------

    def _of_primary(self) -> dict[str, Callable[[str], list[dict[str, Any]]]]:
        return {
            "create role": self._make_role,
            "drop role": self._drop_role,
            "password": self._password,
            "rolreplication": lambda sql: [{"found": int(_name(sql) in self.world.roles)}],
            "pg_hba_file_rules": lambda sql: [{"stands": bool(self.world.rules), "wrong": None}],
            "alter system set": lambda sql: self._keeps(int(re.findall(r"'(\d+)MB'", sql)[0])),
            "alter system reset": lambda sql: self._keeps(-1),
            "max_slot_wal_keep_size'": lambda sql: [{"megabytes": self.world.keep}],
            "pg_reload_conf": lambda sql: [{"told": True}],
            "pg_create_physical": self._make_slot,
            "pg_drop_replication_slot": self._drop_slot,
            "as read": lambda sql: [{"read": bool(self._followers())}],
            "as fit": lambda sql: [{"fit": True}] if _name(sql) in self.world.slots else [],
        }

    def _make_role(self, sql: str) -> list[dict[str, Any]]:
        name, comment = _name(sql), re.findall(r"is '([^']+)'", sql)[0]
        if name not in self.world.roles:
            self.world.does("make the role", lambda: self.world.roles.__setitem__(name, comment))
        return []

    def _drop_role(self, sql: str) -> list[dict[str, Any]]:
        name, comment = _name(sql), re.findall(r"'pg_authid'\) = '([^']+)'", sql)[0]
        if self.world.roles.get(name) == comment:
            self.world.does("drop the role", lambda: self.world.roles.pop(name))
        return []

    def _password(self, sql: str) -> list[dict[str, Any]]:
        found = re.fullmatch(r"alter role (\w+) password '(SCRAM-SHA-256\$[^']+)'", sql)
        if found is None or found[1] not in self.world.roles:
            raise Violated(f"a password was sent as it is, or to nobody: {sql}")
        name, verifier = found[1], found[2]
        self.world.does("set the password", lambda: self.world.verifiers.__setitem__(name, verifier))
        return []

    def _keeps(self, megabytes: int) -> list[dict[str, Any]]:
        if self.world.keep != megabytes:
            self.world.does("limit the slots", lambda: setattr(self.world, "keep", megabytes))
        return []

    def _make_slot(self, sql: str) -> list[dict[str, Any]]:
        name = _name(sql)
        if name not in self.world.slots:
            self.world.does("make the slot", lambda: setattr(self.world, "slots", self.world.slots | {name}))
        return []

    def _drop_slot(self, sql: str) -> list[dict[str, Any]]:
        name = _name(sql)
        if name in self.world.slots and not self._followers():
            self.world.does("drop the slot", lambda: setattr(self.world, "slots", self.world.slots - {name}))
        return []

    # JSON values ---------------------------------------------------------------------------------

    def values(
        self, container: str, server: Server, queries: Sequence[str], *, seconds: float = 300, database: str = ""
    ) -> Sequence[QueryResult]:
        try:
            here = self._here(container, server)
        except RecoveryError as trouble:
            return [QueryResult(error=trouble) for _ in queries]
        if queries[0] == REPLICATION_SQL:
            return [QueryResult(self._stands(container, here))]
        return [QueryResult(self._state(queries[0]))]

    def _followers(self) -> list[str]:
        """Who streams: each container that runs on a copy with a signal, while its slot is there."""
        found = [name for name in self.world.mounted if name != SITE.postgres and self.world.runs(name)]
        return [name for name in found if self.world.dirs[self.world.mounted[name]].signal]

    def _stands(self, container: str, here: Dir) -> dict[str, Any]:
        told = super()._replication()
        slot = next(iter(self.world.slots), None)
        if container == SITE.postgres:
            one = {"at": None, "state": "streaming", "sync": "async", "flushed": told["at"], "lag": None}
            mine = [{"name": name, "slot": slot, "replayed": told["at"], **one} for name in self._followers() if slot]
            use = {"physical": True, "active": False, "status": "reserved", "room": None, "kept": 0}
            return {**told, "followers": mine, "slots": [{"name": name, **use} for name in self.world.unread]}
        upstream = {"at": "nself-postgres:5432", "status": "streaming", "slot": slot, "end": told["at"], "heard": 0}
        system = self.world.systems.get(here.id, SYSTEM)
        at = told["at"] if here.signal else format_lsn(here.lsn)
        own = {"system": system, "timeline": here.timeline, "at": at, "recovering": here.signal, "followers": []}
        return {**told, **own, "upstream": upstream if here.signal and slot else None}

    def _state(self, sql: str) -> dict[str, Any]:
        role, slot = re.findall(r"rolname = '(\w+)'", sql)[0], re.findall(r"slot_name = '(\w+)'", sql)[0]
        there = {"physical": True, "lost": False, "reader": None, "active": bool(self._followers())}
        made = {"comment": self.world.roles.get(role), "fit": True}
        limits = [{"name": name, "value": 100, "copied": name != "max_connections"} for name in LIMITS]
        return {
            "recovering": self.world.recovering,
            "superuser": True,
            "timeline": self.world.live.timeline,
            "port": 5432,
            "wal_level": "replica",
            "senders": 10,
            "sending": len(self._followers()),
            "slots": 10,
            "slots_used": len(self.world.slots),
            "slot": there if slot in self.world.slots else None,
            "role": made if role in self.world.roles else None,
            "keep": {"megabytes": self.world.keep, "source": "default"},
            "checksums": False,
            "hints": True,
            "limits": limits,
            "hba_file": "/var/lib/postgresql/data/pg_hba.conf",
            "lets_in": bool(self.world.rules),
            "hba_error": None,
            "bytes": 50_000_000,
            **self.world.said,
        }


def _name(sql: str) -> str:
    """The role or the slot that a statement names."""
    found = re.search(r"rolname = '(\w+)'|slot_name = '(\w+)'", sql)
    if found is None:
        raise Violated(f"it names nobody: {sql}")
    return found[1] or found[2]
