"""The WAL that a base backup brings along: of all that was written during it, what the archive has no good copy of.

`pg_basebackup -X stream` and `-X fetch` put the segments from the start of a backup to its end into the backup itself.
There they are copies like any other. They are looked at where they are needed: of an archive they have to be unpacked.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from actions.postgres.backups import BaseBackup
from actions.postgres.segments import segment_before, segment_of, segments_between

__all__ = ["sought", "span"]


def span(backup: BaseBackup, size: int) -> tuple[str, ...]:
    """The segments from the start of a backup to its end; none where nothing says where it ends."""
    if backup.stop_lsn is None or backup.stop_lsn <= backup.start_lsn:
        return ()
    first = segment_of(backup.timeline, backup.start_lsn, size)
    return tuple(segments_between(first, segment_before(backup.timeline, backup.stop_lsn, size), size))


def sought(backups: Iterable[BaseBackup], held: Set[str], size: int) -> dict[str, tuple[str, ...]]:
    """By the name of each backup that is complete: the segments of its span that are not held elsewhere."""
    lacking = {b.name: tuple(name for name in span(b, size) if name not in held) for b in backups if b.complete}
    return {name: segments for name, segments in lacking.items() if segments}
