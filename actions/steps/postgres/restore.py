"""Restoring beside the live data: the tail is saved, the base copied, the WAL laid, the clone sealed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from actions.engine.errors import RecoveryError
from actions.postgres.segments import parse_wal_name
from actions.postgres.server import Server
from actions.postgres.tablespaces import MAP_NAME
from actions.postgres.timelines import chain_to
from actions.settings.site import SiteConfig
from actions.steps.postgres.find_tablespaces import Tablespaces
from actions.steps.postgres.target import Aim, Base
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.progress import Progress
from actions.tools.throughput import Throughput


def _held(server: Server, files: PostgresFiles) -> set[str]:
    """What is held elsewhere than by the live server: by the archive, or by a base backup."""
    found = set()
    for f in (*files.archive(server), *files.base_wal(server)):
        wal = parse_wal_name(f.name)
        if wal is not None and not f.wrong and wal.kind in ("history", "segment"):
            found.add(wal.segment_name if wal.kind == "segment" else f"{wal.timeline:08X}.history")
    return found


def save_tail(base: Base, server: Server, names: Names, files: PostgresFiles) -> None:
    """Copy the WAL that the archive lacks out of the live pg_wal, before anything moves."""
    held = _held(server, files)
    missing = [name for name in (*base.histories, *base.laid) if name not in held]
    if missing:
        files.save_tail(server, names, missing)


def tail_is_saved(base: Base, server: Server, names: Names, files: PostgresFiles) -> bool:
    """Whether every segment is in the archive, in a base backup or saved."""
    saved = {f.name for f in files.saved_tail(server, names) if not f.wrong}
    return {*base.histories, *base.laid} <= _held(server, files) | saved


def copy_base(
    base: Base,
    server: Server,
    tablespaces: Tablespaces,
    names: Names,
    files: PostgresFiles,
    throughput: Throughput,
    polling: Polling,
    progress: Progress,
) -> None:
    """Copy the base backup beside the live data; an incremental one is combined there with those it builds on."""
    began = polling.seconds()
    files.copy_base(tablespaces.on(server), names, base.name, base.bytes, progress, base.chain)
    throughput.note("copy", base.bytes, polling.seconds() - began)


def base_is_whole(server: Server, tablespaces: Tablespaces, names: Names, files: PostgresFiles) -> bool:
    """Whether the copy is just what the backup's manifest says, byte for byte.

    Raises:
        RecoveryError: it is not; the live data is untouched.
    """
    wrong = files.verify_base(tablespaces.on(server), names)
    if wrong:
        raise RecoveryError(
            "The copy of the base backup is not what its manifest says.",
            detail=wrong,
            hint="If Retry says the same, the backup itself is damaged: undo, move it out of the "
            "folder of base backups, and ask again; an older one is chosen then.",
        )
    return True


def lay_wal(base: Base, server: Server, names: Names, files: PostgresFiles, progress: Progress) -> None:
    """Lay the WAL into the clone, so that replay waits for no file."""
    files.lay_wal(server, names, base.laid, base.histories, progress)


def wal_is_laid(
    aim: Aim, base: Base, server: Server, tablespaces: Tablespaces, names: Names, files: PostgresFiles
) -> bool:
    """Whether the WAL reads without a flaw from the backup's start to the stopping point.

    Raises:
        RecoveryError: a segment is damaged; the live data is untouched.
    """
    for timeline, start, end in stretches(aim, base, server, files):
        wrong = files.verify_wal(server, names, timeline, start, end)
        if wrong:
            raise RecoveryError(
                "The WAL does not read through to the stopping point.",
                detail=wrong,
                hint="Bring an undamaged copy of that segment into the archive and Retry, or Undo "
                "and recover to a moment before it.",
            )
    _all_are_known(base, server, tablespaces, files.made_tablespaces())
    return True


def _all_are_known(base: Base, server: Server, tablespaces: Tablespaces, made: Mapping[int, str]) -> None:
    """Replaying a CREATE TABLESPACE needs the folder, also of one that was dropped again long before the target."""
    known = {space.location for space in tablespaces.all}
    unknown = [(oid, location) for oid, location in sorted(made.items()) if location not in known]
    if unknown:
        oid, location = unknown[0]
        raise RecoveryError(
            f"The WAL makes a tablespace at {location} that the plan does not know.",
            detail="Neither the base backup nor the live server has it, and so much WAL is not searched for a plan.",
            hint=f"Undo, add the line `{oid} {location}` to {server.bases}/{base.name}/{MAP_NAME}, and ask again; "
            "or ask for a moment before it was made.",
        )


def stretches(aim: Aim, base: Base, server: Server, files: PostgresFiles) -> list[tuple[int, str, str]]:
    """Timeline, first and last position of each stretch of the way from the backup to the stopping point."""
    chain = chain_to(aim.timeline, {int(n[:8], 16): t for n, t in files.histories(server).items()})
    found = []
    for span in chain.spans:
        start = max(span.start, base.start_lsn)
        end = min(span.end, aim.stop.through) if span.end is not None else aim.stop.through
        if start < end:
            found.append((span.timeline, _hex(start), _hex(end)))
    return found


def _hex(lsn: int) -> str:
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def seal_clone(server: Server, names: Names, files: PostgresFiles) -> None:
    """Strip stale settings and write the mark without which the clone is never started."""
    files.seal_clone(server, names)


def clone_is_sealed(server: Server, names: Names, files: PostgresFiles) -> bool:
    """Whether the mark is there."""
    return files.leaves(server, names).clone_complete


def set_clone_aside(
    server: Server, tablespaces: Tablespaces, names: Names, site: SiteConfig, files: PostgresFiles
) -> None:
    """Rename the clone's directories out of the way; a person removes it later."""
    label = {"run": names.run, "why": "the recovery was given up", "keep_days": str(site.kept_days)}
    files.set_aside(tablespaces.on(server), names, label)


COPY_LIMIT = timedelta(hours=6)
