"""The answers of the world's servers, live and clone, to the statements that the steps send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.live_server import LIVE_SQL
from actions.postgres.lsn import format_lsn
from actions.postgres.replication import REPLICATION_SQL
from actions.postgres.segments import segment_of
from actions.postgres.server import Server
from actions.steps.postgres.write_rate import COUNTER
from actions.tools.sql import Asked, NotServing, QueryResult, StartingUp
from tests.support.worlds.company import LEAF, Dir, Violated, World
from tests.support.worlds.unwritten import UnwrittenSql
from tests.support.worlds.values import value_of
from tests.support.worlds.wal import SIZE, SYSTEM, Record, Tables

_STARTING_TICKS = 3


class WorldSql(UnwrittenSql):
    """Asks the live server by its container's name, a clone by its own."""

    def __init__(self, world: World) -> None:
        self.world = world

    def rows(
        self, container: str, server: Server, sql: str, *, seconds: float = 30, database: str = ""
    ) -> list[dict[str, Any]]:
        here = self._connect(container, server)
        if self.world.refuses and self.world.refuses in sql:
            raise RecoveryError(
                f"PostgreSQL in {container} refused a query.", detail="as the test wants it", hint="Retry."
            )
        if " prepared '" in sql:
            return self.end_prepared(container, sql)
        for words, answer in self._answers(container, here).items():
            if words in sql:
                return answer()
        raise Violated(f"nobody here knows how to answer: {sql}")

    def _connect(self, container: str, server: Server) -> Dir:
        live = container == server.service
        if not self.world.runs(container) or (live and not self.world.serves_sql()):
            raise NotServing(f"{container} does not accept connections.", hint="Start it.")
        if not live:
            self._tick(container)
        return self.world.dirs[self.world.mounted[container]]

    def _answers(self, container: str, here: Dir) -> dict[str, Callable[[], list[dict[str, Any]]]]:
        return {
            "from pg_stat_archiver": lambda: [self._archiver()],
            "pg_logical_emit_message": lambda: [{}],
            "pg_switch_wal": lambda: [self._switch()],
            "pg_current_wal_lsn()::text": lambda: [{"lsn": format_lsn(self.world.live.lsn)}],
            "pg_get_wal_replay_pause_state": lambda: [self._state(container, here)],
            "pg_promote": lambda: self._promote(container),
            "pg_current_xact_id": lambda: [self._writable(here)],
            "pg_database_size": lambda: [{"bytes": 50_000_000}],
            "checkpoint": lambda: self._checkpoint(container, here),
            "n_live_tup": lambda: [
                {"name": "public.nchat_messages", "rows": len(self.world.messages()), "started": "2026-02-09 08:00+00"}
            ],
            "select 1 as one": lambda: [{"one": 1}],
            "pg_current_snapshot": self.about_snapshot,
        }

    # A clone that recovers -----------------------------------------------------------------------

    def _ends(self, container: str) -> tuple[list[Record], int, bool]:
        """The ends of transactions that are replayed, the position then, and whether the WAL reaches so far."""
        timeline, target, inclusive = self.world.targets[container]
        here = self.world.dirs[self.world.mounted[container]]
        kept = [r for r in self.world.wal.along(timeline) if (r.lsn <= target if inclusive else r.lsn < target)]
        reached = segment_of(timeline, target, SIZE)[8:] in {name[8:] for name in here.wal}
        return kept, (kept[-1].end if inclusive and kept else target), reached

    def _tick(self, container: str) -> None:
        """A clone takes a few questions until it has started and replayed."""
        here = self.world.dirs[self.world.mounted[container]]
        self.world.ticks[container] = tick = self.world.ticks.get(container, 0) + 1
        if here.promoted:
            return
        _, lsn, reached = self._ends(container)
        if tick == 1:
            raise StartingUp("the database system is starting up", hint="Wait.")
        if tick < _STARTING_TICKS:
            return
        if not reached:
            self.world.logs[container] = "FATAL:  recovery ended before configured recovery target was reached"
            self.world.set_container(container, state="exited")
            raise RecoveryError("the server closed the connection", hint="Look at its log.")
        self.world.logs[container] = (
            f"LOG:  recovery stopping {'after' if self.world.targets[container][2] else 'before'} WAL location (LSN)"
        )
        self.world.set_dir(
            self.world.mounted[container],
            lsn=lsn,
            timeline=self.world.targets[container][0],
            state="in archive recovery",
        )

    def _state(self, container: str, here: Dir) -> dict[str, Any]:
        if here.promoted:
            return {"recovering": False, "pause": "", "lsn": None, "last_at": None}
        if self.world.ticks[container] < _STARTING_TICKS:
            return {"recovering": True, "pause": "not paused", "lsn": format_lsn(here.lsn), "last_at": None}
        kept, lsn, _ = self._ends(container)
        # At an inclusive stop the server leaves out the very record that it stops after.
        seen = [r for r in (kept[:-1] if self.world.targets[container][2] else kept) if r.lsn >= here.redo]
        last = seen[-1].at.isoformat() if seen else None
        return {"recovering": True, "pause": "paused", "lsn": format_lsn(lsn), "last_at": last}

    def _promote(self, container: str) -> list[dict[str, Any]]:
        leaf = self.world.mounted[container]
        here = self.world.dirs[leaf]
        new = max({here.timeline, *here.histories}) + 1
        if f"{new:08X}.history" in self.world.archive or new in self.world.wal.histories:
            raise Violated(f"timeline {new} was chosen, and it exists already")
        if leaf == LEAF:
            raise Violated("the live server was promoted")

        def promoted() -> None:
            self.world.wal.branch(new, here.timeline, here.lsn, self.world.clock())
            self.world.set_dir(
                leaf, timeline=new, promoted=True, signal=False, state="in production", prepared=self.world.prepared
            )

        self.world.does("promote", promoted)
        return [{"promoted": True}]

    def _checkpoint(self, container: str, here: Dir) -> list[dict[str, Any]]:
        leaf = self.world.mounted[container]
        if here.checkpoint_timeline != here.timeline:
            self.world.does("checkpoint", lambda: self.world.set_dir(leaf, checkpoint_timeline=here.timeline))
        return []

    def _archiver(self) -> dict[str, Any]:
        """The archiver as the world has it: it archives at once, or it fails from some moment on."""
        world = self.world
        done = sorted(name for name in world.archive if len(name) == 24)
        failing = bool(world.archiver_fails)
        return {
            "mode": world.archive_mode,
            "command": "cp",
            "library": "",
            "archived": len(done),
            "last_archived": done[-1] if done else None,
            "failed": 3 * failing,
            "waiting": int(failing),
            "archived_at": max(at for _, at in world.archive.values()).isoformat() if done else None,
            "last_failed": world.archiver_fails or None,
            "failed_at": world.clock().isoformat() if failing else None,
            "now": world.clock().isoformat(),
            "written": format_lsn(world.live.lsn),
        }

    def _switch(self) -> dict[str, Any]:
        after = (self.world.live.lsn // SIZE + 1) * SIZE + 0x28
        self.world.does("end the segment", lambda: self.world.advance_to(after))
        return {"lsn": format_lsn(after)}

    def _writable(self, here: Dir) -> dict[str, Any]:
        return {
            "recovering": False,
            "read_only": "off",
            "system": SYSTEM,
            "xid": str(self.world.xid + 1),
            "timeline": f"{here.timeline:08X}",
        }

    # JSON values ---------------------------------------------------------------------------------

    def values(
        self, container: str, server: Server, queries: Sequence[str], *, seconds: float = 300, database: str = ""
    ) -> Sequence[QueryResult]:
        try:
            here = self._connect(container, server)
        except RecoveryError as trouble:
            return [QueryResult(error=trouble) for _ in queries]
        tables = self.world.wal.contents(here.timeline, here.lsn)
        return [QueryResult(self._about(container, query, tables)) for query in queries]

    def _about(self, container: str, query: str, tables: Tables) -> Any:
        if query == COUNTER:
            return self._counter()
        if query == REPLICATION_SQL:
            return self._replication()
        told = self._live() if query == LIVE_SQL else self.told(container, query)
        return value_of(query, tables) if told is None else told

    def replicates(self, container: str, server: Server) -> str:
        return ""

    def _live(self) -> dict[str, Any]:
        standbys = [{"name": name, "at": None} for name in self.world.standbys]
        return {
            "recovering": self.world.recovering,
            "superuser": True,
            "upstream": self.world.upstream,
            "conninfo": "",
            "standbys": standbys,
            "preload": "",
            "settings": {},
            **self._counter(),
        }

    def _replication(self) -> dict[str, Any]:
        at = format_lsn(self.world.live.lsn)
        streams = {"at": None, "state": "streaming", "sync": "async", "flushed": at, "replayed": at, "lag": None}
        return {
            "recovering": self.world.recovering,
            "sees_all": True,
            "system": SYSTEM,
            "timeline": self.world.live.timeline,
            "at": at,
            "received": None,
            "replayed_ago": None,
            "paused": False,
            "delay": 0,
            "upstream": None,
            "followers": [{"name": name, "slot": None, **streams} for name in self.world.standbys],
            "slots": [],
        }

    def _counter(self) -> dict[str, Any]:
        return {"xid": str(self.world.xid + 1), "at": self.world.clock().timestamp()}

    def everywhere(
        self, container: str, server: Server, asked: Asked, *, seconds: float = 300, bare: bool = False
    ) -> Mapping[str, Sequence[QueryResult]]:
        """This cluster has one database that anybody uses."""
        queries = asked if isinstance(asked, Mapping) else {server.database: asked}
        return {name: self.values(container, server, some, seconds=seconds) for name, some in queries.items()}
