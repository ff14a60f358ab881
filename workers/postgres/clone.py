"""How the clone's server is run: like the live one, with no network, no archive, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from docker.types import LogConfig, Mount

from actions.postgres.postmaster import CLONE
from actions.postgres.server import Server
from actions.tools.names import Names
from actions.tools.postgres_servers import CloneSpec
from workers.docker.described import environment
from workers.docker.helper import empty_volumes

# What a server with an existing cluster needs; passwords and the rest of the live environment stay out.
_ENVIRONMENT = ("POSTGRES_USER", "POSTGRES_DB", "TZ", "PGTZ", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LD_PRELOAD")
# Only who may run commands in this container reaches its socket, so everybody there is let in.
_START = r"""
cd "$1" && umask 077 && printf 'local all all trust\n' >pg_hba.conf && : >pg_ident.conf && : >postgresql.conf || exit 1
shift
PATH="${PG_MAJOR:+/usr/lib/postgresql/$PG_MAJOR/bin:}$PATH"
exec postgres "$@"
"""
_RUNTIME = (PurePosixPath("/run"), PurePosixPath("/var/run"), PurePosixPath("/dev"), PurePosixPath("/proc"))


def is_clone(labels: Mapping[str, str], names: Names) -> bool:
    """Whether a container is this run's clone."""
    return labels.get("mayday.run") == names.run and labels.get("mayday.role") == "clone"


def clone_options(
    live: Mapping[str, Any], image: Mapping[str, Any], server: Server, names: Names, spec: CloneSpec
) -> dict[str, Any]:
    """The arguments to create the clone's container with."""
    inside = server.home.inside
    data = Mount(inside, f"{server.home.parent.rstrip('/')}/{names.clone_leaf(server.home)}", type="bind")
    return {
        "image": server.image_id,
        "name": names.clone,
        # The server itself, as the owner of its data: no entry point of the image, no wrapper.
        "entrypoint": ["sh", "-c", _START, "mayday", CLONE.host],
        "command": list(spec.flags),
        "user": server.owner,
        "userns_mode": "host",
        "cap_drop": ["ALL"],
        "environment": _environment(live, inside),
        "mounts": [data, *_tablespaces(server, names), *_other_mounts(live, server)],
        "tmpfs": {
            **empty_volumes(image, (inside, *(space.location for space in server.tablespaces))),
            CLONE.host: "mode=1777,size=1m",
        },
        "network_mode": "none",
        "restart_policy": {"Name": "no"},
        "healthcheck": {"test": ["NONE"]},
        "shm_size": spec.shm_bytes,
        "ulimits": live["HostConfig"].get("Ulimits"),
        # A fast shutdown; at SIGTERM the server would wait until every session has ended.
        "stop_signal": "SIGINT",
        "labels": {"mayday.run": names.run, "mayday.role": "clone"},
        # The proof of the stop reads this log, which not every driver of a live server gives back.
        "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": "50m"}),
        "security_opt": live["HostConfig"].get("SecurityOpt"),
    }


def _tablespaces(server: Server, names: Names) -> list[Mount]:
    """The clone's own folder at each location: replaying CREATE and DROP TABLESPACE removes what it finds there."""
    return [
        Mount(space.location, f"{space.parent.rstrip('/')}/{names.clone_leaf(space)}", type="bind")
        for space in server.tablespaces
        if space.parent
    ]


def _environment(live: Mapping[str, Any], inside: str) -> dict[str, str]:
    had = environment(live["Config"])
    kept = {name: had[name] for name in _ENVIRONMENT if name in had}
    # So that a plain psql of whoever looks at the preview in this container finds the clone's own socket.
    return kept | {"PGDATA": inside, "PGHOST": CLONE.host}


def _other_mounts(live: Mapping[str, Any], server: Server) -> list[Mount]:
    """Configuration and certificates of the live container, read-only; neither data, nor backups, nor sockets."""
    return [
        # As a volume where it is one: its folder on the host may be empty while nobody uses it.
        Mount(
            mount["Destination"],
            mount["Name"] if mount["Type"] == "volume" else mount["Source"],
            type=mount["Type"],
            read_only=True,
        )
        for mount in live.get("Mounts", ())
        if mount["Type"] in ("bind", "volume") and not _kept_away(PurePosixPath(mount["Destination"]), server)
    ]


def _kept_away(target: PurePosixPath, server: Server) -> bool:
    locations = (space.location for space in server.tablespaces)
    own = [PurePosixPath(p) for p in (server.home.inside, server.inside_archive, server.inside_bases, *locations)]
    if any(path.is_relative_to(target) or target.is_relative_to(path) for path in own):
        return True
    return any(target.is_relative_to(path) for path in _RUNTIME)
