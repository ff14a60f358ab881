"""When the newest dump was written, asked of the container that sees the folders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from actions.postgres.server import Server
from workers.docker.exec import Inside
from workers.docker.helper import checked

# Links such as latest.dump are as old as whoever set them, and an empty file is no dump.
_NEWEST = r"""
for folder in "$@"; do
    [ -d "$folder" ] || continue
    find "$folder" -maxdepth 1 -type f ! -name '.*' -size +0 -exec stat -c %Y {} +
done | sort -n | tail -n 1
"""
_SECONDS = 20


def newest(client: Any, server: Server, folders: Sequence[str]) -> datetime | None:
    """When the newest file of those folders was written, None where there is none."""
    done = Inside(client.api, server.container, "0:0").script(_NEWEST, *folders, seconds=_SECONDS)
    said = checked(done, "looking for dumps").strip()
    return datetime.fromtimestamp(int(said), UTC) if said else None
