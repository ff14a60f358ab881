"""Installs what tests and the demo need and this machine lacks, and says so.

`python -m lab.prepare engine servers browser` prepares all three.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from actions.engine.errors import RecoveryError
from lab.engine import can_install_packages, ensure_docker, install_packages
from lab.images import ensure_images

_POSTGRES = Path("/usr/lib/postgresql")


def say(text: str) -> None:
    """To whoever waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def engine() -> None:
    """A Docker Engine, and the images of the practice company."""
    ensure_images(ensure_docker(say), say)


def servers() -> None:
    """The programs of PostgreSQL and Redis that tests start by themselves."""
    lacking = [
        package
        for package, there in (
            ("postgresql", any(_POSTGRES.glob("*/bin/initdb"))),
            ("redis-server", shutil.which("redis-server") is not None),
        )
        if not there
    ]
    _install(lacking)


def browser() -> None:
    """Headless Chromium."""
    _install([] if shutil.which("chromium") or shutil.which("google-chrome") else ["chromium"])


def _install(packages: list[str]) -> None:
    if not packages:
        return
    if not can_install_packages():
        raise RecoveryError(
            f"Missing on this machine: {', '.join(packages)}.",
            hint=f"Install them with your package manager (Debian: apt-get install {' '.join(packages)}).",
        )
    say(f"Installing {', '.join(packages)} with apt-get.")
    install_packages(*packages)


PARTS: dict[str, Callable[[], None]] = {"engine": engine, "servers": servers, "browser": browser}


def main() -> int:
    """Prepare the named parts; the exit code tells."""
    try:
        for name in sys.argv[1:]:
            PARTS[name]()
    except RecoveryError as trouble:
        say(trouble.words())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
