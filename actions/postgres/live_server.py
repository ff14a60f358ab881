"""What a live server says of itself: whom it follows, who follows it, what it loads, who may log in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.engine.facts import volatile
from actions.postgres.data_directory import primary_of
from actions.wording import counted, verb

# Base backups that run stream as well, and are over by themselves.
LIVE_SQL = """
SELECT json_build_object(
  'recovering', pg_is_in_recovery(),
  'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
  'upstream', (SELECT concat_ws(':', sender_host, sender_port) FROM pg_stat_wal_receiver LIMIT 1),
  'conninfo', (SELECT setting FROM pg_settings WHERE name = 'primary_conninfo'),
  'standbys', (SELECT coalesce(json_agg(json_build_object('name', application_name,
                 'at', coalesce(client_hostname, host(client_addr))) ORDER BY application_name), '[]')
               FROM pg_stat_replication
               WHERE state NOT IN ('startup', 'backup') AND application_name NOT IN ('pg_basebackup', 'mayday')
                 AND pid NOT IN (SELECT active_pid FROM pg_replication_slots
                                 WHERE slot_type = 'logical' AND active_pid IS NOT NULL)),
  'preload', (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries'),
  'xid', CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_snapshot_xmax(pg_current_snapshot())::text END,
  'at', extract(epoch FROM clock_timestamp()),
  'settings', (SELECT coalesce(json_object_agg(name, setting), '{}') FROM pg_settings
               WHERE name LIKE '%.%' AND source IN ('configuration file', 'command line', 'environment variable')))
"""


@dataclass(frozen=True)
class Standby:
    """Who streams from the live server."""

    name: str
    at: str = ""

    def says(self) -> str:
        """For example: walreceiver at 10.0.0.7."""
        return f"{self.name} at {self.at}" if self.at else self.name


@dataclass(frozen=True)
class Live:
    """The live server's own word. `silent` says why there is none, and the rest is then what is assumed.

    `follows` is the primary that a standby streams from, `missing` the site's database where it does not exist,
    `no_replication` what the server said to a replication connection (empty: it let one in). `preload` are its
    shared_preload_libraries, `settings` those of its extensions. `xid` is the next transaction that writes, `at` the
    server's time then, in seconds: how much is written tells a second look.
    """

    recovering: bool = False
    # A server that falls silent while people decide voids nothing.
    superuser: bool = volatile(default=True)
    missing: str = volatile(default="")
    preload: tuple[str, ...] = volatile(default=())
    settings: tuple[tuple[str, str], ...] = volatile(default=())
    silent: str = volatile(default="")
    follows: str = volatile(default="")
    standbys: tuple[Standby, ...] = volatile(default=())
    no_replication: str = volatile(default="")
    xid: str = volatile(default="")
    at: float = volatile(default=0.0)

    def says(self) -> str:
        """One line for the thread."""
        if self.silent:
            return f"it did not answer: {self.silent.splitlines()[0]}"
        if self.recovering:
            return f"it is in recovery{f' and follows {self.follows}' if self.follows else ''}"
        number = len(self.standbys)
        return (
            f"it is the primary, {counted(number, 'standby')} {verb(number, 'follow')} it"
            if number
            else "it is the primary"
        )


def read_live(said: Mapping[str, Any]) -> Live:
    """The answer to `LIVE_SQL`."""
    return Live(
        recovering=bool(said["recovering"]),
        superuser=bool(said["superuser"]),
        preload=libraries(str(said["preload"] or "")),
        settings=tuple(sorted((str(name), str(value)) for name, value in said["settings"].items())),
        follows=str(said["upstream"] or "") or primary_of(str(said["conninfo"] or "")),
        xid=str(said.get("xid") or ""),
        at=float(said.get("at") or 0.0),
        standbys=tuple(Standby(str(one["name"]), str(one["at"] or "")) for one in said["standbys"]),
    )


def libraries(setting: str) -> tuple[str, ...]:
    """The names in shared_preload_libraries, without folders and endings: '$libdir/pg_cron' is pg_cron."""
    names = (part.strip().strip('"').rpartition("/")[2].removesuffix(".so") for part in setting.split(","))
    return tuple(name for name in names if name)
