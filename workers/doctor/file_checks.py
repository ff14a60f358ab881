"""What `mayday doctor` looks at on the bot's own disk: files that others than their owner could read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actions.findings import Finding
from actions.settings.settings import Settings
from actions.store.anchors import anchors_path
from actions.store.database import PASSING

_OTHERS = 0o077
_SQLITE = "sqlite:///"


def check(settings: Settings) -> Iterator[Finding]:
    """The store and the webhooks' secrets; whoever reads the store reads every plan and whatever people wrote."""
    there = [path for path in _files(settings) if path.exists()]
    if not there:
        return
    open_ones = [f"{path} ({path.stat().st_mode & 0o777:o})" for path in there if path.stat().st_mode & _OTHERS]
    said = f"others may read: {', '.join(open_ones)}" if open_ones else f"{len(there)} files, each its owner's alone"
    yield Finding("private files", not open_ones, said, "Take their rights away: chmod 600" if open_ones else "")


def _files(settings: Settings) -> Iterator[Path]:
    if settings.store.startswith(_SQLITE):
        store = settings.store.removeprefix(_SQLITE)
        yield from (Path(f"{store}{part}{end}") for part in ("", PASSING) for end in ("", "-wal", "-shm"))
    if noted := anchors_path(settings.anchors, settings.store):
        yield from (Path(f"{noted}{end}") for end in ("", ".key"))
    if settings.pagerduty.secrets_file:
        yield Path(settings.pagerduty.secrets_file)
