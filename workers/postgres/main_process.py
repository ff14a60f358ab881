"""Finding a server's main process in its container: whatever started it, it knows its data directory best."""

from __future__ import annotations

from typing import Any

from actions.tools.postgres_servers import Process
from workers.docker.errors import TakenDown
from workers.docker.exec import Inside

# The postmaster changes into its data directory when it starts (src/backend/utils/init/miscinit.c), and its children
# are its own. Whose process it is can be read by all; where it works only by its own user, unless root may trace.
_FIND = r"""
for p in /proc/[0-9]*; do
    [ "$(cat "$p/comm" 2>/dev/null)" = postgres ] || continue
    parent=$(sed -n 's/^PPid:[[:space:]]*//p' "$p/status")
    [ "$(cat "/proc/$parent/comm" 2>/dev/null)" != postgres ] || continue
    printf '\034%s\036%s\036' "$(stat -c %u:%g "$p")" "$(readlink "$p/cwd" 2>/dev/null)"
    tr '\0' '\037' <"$p/cmdline"
done
exit 0
"""


def find(api: Any, container: str) -> Process | None:
    """The one server of a container; None where there is none, or several, or where it has just crashed."""
    try:
        found = _seen(Inside(api, container))
        if len(found) == 1 and not found[0][1]:
            found = _seen(Inside(api, container, found[0][0]))
    except TakenDown as down:
        if not down.crashing:
            raise
        return None
    if len(found) != 1 or not found[0][1]:
        return None
    _, data, command = found[0]
    return Process(data, tuple(command.removesuffix("\x1f").split("\x1f")))


def _seen(inside: Inside) -> list[list[str]]:
    done = inside.script(_FIND, seconds=20)
    return [part.split("\x1e", 2) for part in done.out.split("\x1c")[1:] if part.count("\x1e") >= 2]
