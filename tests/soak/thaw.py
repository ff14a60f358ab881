"""Pausing a container and letting it go on, also where Docker itself gets stuck over that.

Where a command begins in a container just as it is paused, runc (1.1 of Debian) waits for a process that is frozen, and
whoever wants the container to go on waits for runc: `docker unpause` and `docker inspect` hang for it for ever.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

_ANSWERS_WITHIN = 10.0
_FREEZERS = (
    "/sys/fs/cgroup/freezer/docker/{id}/freezer.state",
    "/sys/fs/cgroup/docker/{id}/cgroup.freeze",
    "/sys/fs/cgroup/system.slice/docker-{id}.scope/cgroup.freeze",
)


def pause(container: str) -> str:
    """Pause it; its id, empty where it does not run."""
    ident = id_of(container)
    try:
        return ident if ident and _said("pause", ident) else ""
    except subprocess.TimeoutExpired:
        return ident


def id_of(container: str) -> str:
    """Empty where there is none, or where Docker is stuck over it."""
    try:
        return _said("inspect", "-f", "{{.Id}}", container)
    except subprocess.TimeoutExpired:
        return ""


def is_stuck(ident: str) -> bool:
    """Whether Docker does not even say how it is."""
    try:
        _said("inspect", "-f", "{{.State.Status}}", ident)
    except subprocess.TimeoutExpired:
        return True
    return False


def let_go_on(ident: str) -> str:
    """Let it go on; what had to be done beyond Docker's own command, where that hung."""
    try:
        _said("unpause", ident)  # It may be gone, or have been let go on by the worker.
    except subprocess.TimeoutExpired:
        return "thawed by hand" if thaw(ident) else "Docker hangs over it, and nobody may thaw it"
    return ""


def thaw(ident: str) -> bool:
    """Past Docker, by the kernel; only root may."""
    for place in (Path(place.format(id=ident)) for place in _FREEZERS):
        if place.exists() and os.access(place, os.W_OK):
            with suppress(OSError):
                place.write_text("THAWED" if place.name == "freezer.state" else "0")
                return True
    return False


def _said(*argv: str) -> str:
    done = subprocess.run(["docker", *argv], capture_output=True, text=True, check=False, timeout=_ANSWERS_WITHIN)
    return done.stdout.strip() if done.returncode == 0 else ""
