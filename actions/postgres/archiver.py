"""Whether WAL arrives in the archive: what the server says of its archiver, held against what lies there.

The view is pg_stat_archiver (monitoring-stats.html of the manual). Its word alone proves nothing: an archive_command
that ends with 0 and keeps nothing is counted as archived.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from actions.clock.times import spell
from actions.engine.facts import volatile
from actions.postgres.archive import WalFile
from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.segments import parse_wal_name

State = Literal["well", "waiting", "off", "failing", "lost", "unknown"]

ARCHIVER = """
select current_setting('archive_mode') as mode, current_setting('archive_command', true) as command,
  current_setting('archive_library', true) as library, archived_count as archived, last_archived_wal as last_archived,
  last_archived_time as archived_at, failed_count as failed, last_failed_wal as last_failed,
  last_failed_time as failed_at, clock_timestamp() as now,
  (select count(*) from pg_ls_archive_statusdir() where name like '%.ready') as waiting,
  case when pg_is_in_recovery() then null else pg_current_wal_lsn()::text end as written
from pg_stat_archiver"""
"""The library is of PostgreSQL 15 and later. The function lists what waits; superusers and pg_monitor may call it."""
LATE = timedelta(minutes=5)
"""For so long WAL may wait before it is called late: a slow archive is not a broken one."""
# The second is all that is said of an archive_library; of a command it comes after three of the first.
_FAILED = (re.compile("archive command failed"), re.compile("archiving write-ahead log file .* failed"))
_LEVELS = ("LOG", "DETAIL", "HINT", "STATEMENT", "WARNING", "ERROR", "FATAL", "CONTEXT")
_DISABLED = ("", "(disabled)")


@dataclass(frozen=True)
class Archiver:
    """What a server says of its archiver at a moment; `waiting` files have not been archived yet.

    `written` is the end of its WAL, None while it is in recovery.
    """

    mode: str
    command: str
    library: str
    archived: int
    last_archived: str
    archived_at: datetime | None
    failed: int
    last_failed: str
    failed_at: datetime | None
    waiting: int
    written: Lsn | None
    now: datetime

    @property
    def fails(self) -> bool:
        """Whether the newest try failed."""
        return self.failed_at is not None and (self.archived_at is None or self.failed_at > self.archived_at)


def read_archiver(row: Mapping[str, Any]) -> Archiver:
    """The one row that `ARCHIVER` gives."""
    return Archiver(
        str(row["mode"]),
        str(row["command"] or ""),
        str(row["library"] or ""),
        int(row["archived"]),
        str(row["last_archived"] or ""),
        _moment(row["archived_at"]),
        int(row["failed"]),
        str(row["last_failed"] or ""),
        _moment(row["failed_at"]),
        int(row["waiting"]),
        parse_lsn(row["written"]) if row["written"] else None,
        datetime.fromisoformat(row["now"]),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Archiving:
    """Whether WAL arrives, at the moment `at`; `seen` is what was seen, `do` what to do.

    `brief` is the same without times and names that change while it stays as it is.

    `since` is when a file was archived last, None where none was or nobody knows. `unknown` is no answer: the
    question failed, or nobody could be asked.
    """

    state: State = volatile(default="unknown")
    seen: str = volatile(default="")
    brief: str = volatile(default="")
    do: str = volatile(default="")
    since: datetime | None = volatile(default=None)
    at: datetime | None = volatile(default=None)

    @property
    def broken(self) -> bool:
        """Whether WAL is known not to arrive."""
        return self.state in ("off", "failing", "lost")

    def says(self) -> str:
        """The state in one sentence."""
        return self.seen or "WAL arrives in the archive"


def judge(archiver: Archiver, files: Sequence[WalFile], archive: str) -> Archiving:
    """Hold the server's word against the files of the archive, which have to be listed after it was given."""
    state, seen, do = _off(archiver) or _failing(archiver) or _lost(archiver, files, archive) or _waiting(archiver)
    return Archiving(state, seen, _BRIEFLY.get(state, seen), do, archiver.archived_at, archiver.now)


_BRIEFLY: dict[State, str] = {
    "failing": "archiving fails",
    "waiting": "files wait to be archived",
    "lost": "what the server says it archived does not lie there",
}
_Found = tuple[State, str, str]


def _off(archiver: Archiver) -> _Found | None:
    if archiver.mode == "off":
        return (
            "off",
            "archive_mode is off, so no WAL is archived",
            "Set archive_mode = on and an archive_command, and restart the server.",
        )
    if archiver.command in _DISABLED and not archiver.library:
        return "off", "archive_command is empty, so no WAL is archived", "Set archive_command, and reload the server."
    return None


def _failing(archiver: Archiver) -> _Found | None:
    if not archiver.fails or archiver.failed_at is None:
        return None
    waiting = f"; {archiver.waiting} files wait" if archiver.waiting > 1 else ""
    seen = f"archiving {archiver.last_failed} failed at {spell(archiver.failed_at)}{waiting}"
    return (
        "failing",
        seen,
        "Look at the server's log for why, and at the room in the archive; it is tried every minute.",
    )


def _lost(archiver: Archiver, files: Sequence[WalFile], archive: str) -> _Found | None:
    name = _checked(archiver.last_archived)
    held = [file for file in files if name and _bare(file.name) == name]
    if not name or any(not file.wrong for file in held):
        return None
    what = "; ".join(f"{file.name}: {file.wrong}" for file in held) or "it is not there"
    return (
        "lost",
        f"the server says that it archived {name}, but not so in {archive}: {what}",
        "See where archive_command puts files: it may end with 0 only when the whole file lies there.",
    )


def _waiting(archiver: Archiver) -> _Found:
    late = archiver.archived_at is not None and archiver.now - archiver.archived_at > LATE
    if not archiver.waiting or not late:
        return "well", "", ""
    assert archiver.archived_at is not None
    seen = f"{archiver.waiting} files wait to be archived, and none has been since {spell(archiver.archived_at)}"
    return "waiting", seen, "See whether archive_command hangs, or the archive is slow."


def _checked(name: str) -> str:
    """The file that has to be there if that one was archived last.

    A backup's own file may be left out on purpose; the segment that it is named after comes before it.
    """
    file = parse_wal_name(name)
    if file is None or file.kind == "partial":
        return ""
    return f"{file.timeline:08X}.history" if file.kind == "history" else file.segment_name


def _bare(name: str) -> str:
    file = parse_wal_name(name)
    return "" if file is None or file.kind in ("partial", "backup") else _checked(name)


def arrived(files: Iterable[WalFile], wanted: str) -> bool:
    """Whether a history, or a segment of that timeline as late as that one, lies in the archive whole."""
    names = (_bare(file.name) for file in files if not file.wrong)
    # Of one length, the names of a timeline are its segments, in their order, or its one history.
    return any(len(name) == len(wanted) and name[:8] == wanted[:8] and name >= wanted for name in names)


def words_of(log: str) -> str:
    """What a server's log says of the newest failure to archive: what the command printed, and how it ended."""
    lines = log.splitlines()
    at = next((n for sign in _FAILED for n in reversed(range(len(lines))) if sign.search(lines[n])), None)
    if at is None:
        return ""
    before = lines[at - 1 : at] if at and not any(f"{level}:" in lines[at - 1] for level in _LEVELS) else []
    return " ".join(" ".join(line.split()) for line in (*before, lines[at]))
