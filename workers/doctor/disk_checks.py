"""Whether the bot's store shares a disk with the database and its base backups, as `mayday doctor` tells it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from actions.findings import Finding
from actions.settings.settings import Settings
from actions.store.database import file_of
from actions.tools.folders import Room

_ROLES = {"data": "data", "archive": "WAL archive", "bases": "base backups"}


def check(settings: Settings, rooms: Mapping[str, Room], docker: str) -> Iterator[Finding]:
    """Every press and page waits for the store's disk, which a restore or a base backup keeps busy.

    One disk for all is no fault on a small host, so it is told and not counted as one. Nothing is said of a store on a
    server, or of a `docker` host elsewhere: numbers of devices mean something on one machine alone.
    """
    path = file_of(settings.store)
    elsewhere = bool(docker) and not docker.startswith("unix:")
    if elsewhere or not path or not os.path.exists(path):
        return
    own = str(os.stat(path).st_dev)
    shared = [said for role, said in _ROLES.items() if role in rooms and rooms[role].device == own]
    if shared:
        seen = (
            f"the store lies on the disk of {', '.join(shared)}: while that is busy, presses and pages wait for it. "
            "Where it matters, put `store` on another disk"
        )
    else:
        seen = "the store has another disk than data, archive and base backups"
    yield Finding("store's disk", True, seen)
