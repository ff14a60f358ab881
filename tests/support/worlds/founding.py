"""How the company begins its day: its containers, a base backup, and messages that are not all archived yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from actions.postgres.config_files import AUTO_CONF
from actions.tools.docker import Container, Mount
from tests.support.worlds.company import LEAF, PARENT, SITE, WRITERS, Dir, World
from tests.support.worlds.wal import SIZE, Row

# What people had changed since the morning's base backup.
CONFIG = (("pg_hba.conf", "local all all trust\nhost all all all md5\n"), (AUTO_CONF, "work_mem = '64MB'\n"))


def container(name: str, **changes: Any) -> Container:
    """A running container with the usual mounts."""
    mounts = (
        Mount("bind", f"{PARENT}/{LEAF}", "/var/lib/postgresql/data"),
        Mount("bind", "/srv/nself/backups/postgres", "/backups/postgres"),
    )
    made = Container(
        id=f"{name}-0123456789ab",
        name=name,
        host="ops-1 (abcd1234)",
        image="postgres:15",
        image_id="sha256:15",
        state="running",
        health="healthy",
        exit_code=0,
        restart_policy="unless-stopped",
        command=("postgres", "-c", "archive_mode=on"),
        mounts=mounts if name == SITE.postgres else (),
        env={"PGDATA": "/var/lib/postgresql/data", "POSTGRES_PASSWORD": "secret"},
    )
    return replace(made, **changes)


def company(messages: int = 40) -> World:
    """A company at work: a base backup of the morning, then messages, the last ones not archived yet."""
    return founded(World(), messages)


AnyWorld = TypeVar("AnyWorld", bound=World)


def founded(world: AnyWorld, messages: int = 40) -> AnyWorld:
    """The same in a world that has more than others."""
    world.containers = {name: container(name) for name in (SITE.postgres, *WRITERS)}
    world.connected = dict.fromkeys(WRITERS, 1)
    world.mounted = {SITE.postgres: LEAF}
    world.dirs = {LEAF: Dir("live", 1, SIZE + 0x28, config=CONFIG, slots=frozenset({"standby1"}))}
    users = [Row(table, key, world.clock()) for table in ("public.nchat_users", "auth.users") for key in (1, 2)]
    world.commit(Row("public.nchat_channels", 1, world.clock()), *users)
    world.backups["base_morning"] = world.take_backup("base_morning")
    world.says(messages)
    world.obey()
    world.changes = ()
    return world
