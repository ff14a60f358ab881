"""The looks at the archive of WAL: whether it takes what the server writes, before a recovery and after it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actions.clock.times import spell
from actions.engine.errors import RecoveryError
from actions.engine.procedure import Sheet
from actions.postgres.archive import BadCopy
from actions.postgres.archiver import ARCHIVER, Archiver, Archiving, arrived, judge, read_archiver, words_of
from actions.postgres.lsn import parse_lsn
from actions.postgres.segments import segment_name
from actions.postgres.server import Server
from actions.postgres.timelines import chain_to
from actions.steps.postgres.proof import Proof
from actions.tools.docker import Docker
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.progress import Progress
from actions.tools.sql import Sql
from actions.wording import listed

_ASK_SECONDS = 10.0
_FAILING_SECONDS = 15.0
"""So long failures may go on before they count: the archiver tries three times within three seconds, then a minute
later."""
_SILENT_SECONDS = 60.0
_SLOW_SECONDS = 300.0
_SHOWN = 8
_NOTHING = "select pg_logical_emit_message(false, 'mayday', 'the first segment after a recovery ends here')"
_SWITCH = "select pg_switch_wal()::text as lsn"
_WRITTEN = "select pg_current_wal_lsn()::text as lsn"


def look_at_archiving(server: Server, files: PostgresFiles, sql: Sql) -> Archiving:
    """Whether WAL arrives in the archive. A question that fails is said to have failed."""
    if server.state != "running":
        return Archiving("unknown", f"the server is {server.state or 'down'}, so its archiver could not be asked")
    try:
        archiver = _asked(server, sql)
    except RecoveryError as trouble:
        return Archiving("unknown", f"its archiver could not be asked: {trouble.said} {trouble.detail}".strip())
    seen = judge(archiver, files.archive(server), server.archive)
    # The listing may be a moment older than the server's word.
    return judge(archiver, files.archive(server, anew=True), server.archive) if seen.state == "lost" else seen


def _asked(server: Server, sql: Sql) -> Archiver:
    return read_archiver(sql.rows(server.service, server, ARCHIVER, seconds=_ASK_SECONDS)[0])


def end_segment(server: Server, sql: Sql) -> None:
    """End the first segment of the new timeline, so that it can be seen to be archived."""
    # Without a record behind the last switch there would be nothing to end.
    sql.rows(server.service, server, _NOTHING, seconds=_ASK_SECONDS)
    sql.rows(server.service, server, _SWITCH, seconds=_ASK_SECONDS)


def segment_is_ended(proof: Proof, server: Server, files: PostgresFiles, sql: Sql) -> bool:
    """Whether the server writes beyond the segment in which its timeline began."""
    # The history may still wait for the archive, so it is read where the new timeline is written.
    told = files.histories(server.swapped)
    chain = chain_to(proof.timeline, {int(name[:8], 16): text for name, text in told.items()})
    place = parse_lsn(sql.rows(server.service, server, _WRITTEN, seconds=_ASK_SECONDS)[0]["lsn"])
    return place // server.segment_size > chain.spans[-1].start // server.segment_size


def see_timeline_arrive(
    proof: Proof, server: Server, docker: Docker, files: PostgresFiles, sql: Sql, polling: Polling, progress: Progress
) -> Archiving:
    """Wait until the new timeline's history and a segment of it are in the archive, or are known not to come."""
    history = f"{proof.timeline:08X}.history"
    return _Arrival(server, docker, files, sql, polling, progress, proof.timeline, history).awaited()


def see_backup_arrive(
    server: Server, docker: Docker, files: PostgresFiles, sql: Sql, polling: Polling, progress: Progress
) -> Archiving:
    """Wait until the WAL that was written during a base backup is in the archive, or is known not to come."""
    return _Arrival(server, docker, files, sql, polling, progress, server.timeline).awaited()


@dataclass
class _Arrival:
    """Waits for the segment before the one that is being written when the wait begins, and for a history, if any."""

    server: Server
    docker: Docker
    files: PostgresFiles
    sql: Sql
    polling: Polling
    progress: Progress
    timeline: int
    history: str = ""
    _wanted: str = ""
    _archived: int = -1
    _moved: float = 0.0
    _failing: float | None = None
    _seen: Archiving = Archiving()

    def awaited(self) -> Archiving:
        began = self._moved = self.polling.seconds()

        def over() -> bool:
            return self._look(self.polling.seconds() - began)

        while not self.polling.until(over, seconds=30, every=0.5):
            self.progress(0, 0, "waiting for WAL to arrive in the archive")
        return self._seen

    def _look(self, waited: float) -> bool:
        """Whether it is known whether WAL arrives."""
        try:
            archiver = _asked(self.server, self.sql)
        except RecoveryError as trouble:
            self._seen = Archiving("unknown", f"its archiver could not be asked: {trouble.said} {trouble.detail}")
            return waited > _SILENT_SECONDS
        if not self._wanted and archiver.written:
            size = self.server.segment_size
            self._wanted = segment_name(self.timeline, archiver.written // size - 1, size)
        files = self.files.archive(self.server, anew=True)
        if arrived(files, self._wanted) and (not self.history or arrived(files, self.history)):
            self._seen = Archiving("well", since=archiver.archived_at, at=archiver.now)
            return True
        self._seen = judge(archiver, files, self.server.archive)
        return self._settled(archiver, waited)

    def _settled(self, archiver: Archiver, waited: float) -> bool:
        now = self.polling.seconds()
        if archiver.archived != self._archived:
            self._archived, self._moved = archiver.archived, now
        self._failing = (self._failing if self._failing is not None else now) if archiver.fails else None
        if self._seen.state in ("off", "lost"):
            return True
        if self._failing is not None and now - self._failing >= _FAILING_SECONDS:
            self._seen = self._with_words(self._seen)
            return True
        if now - self._moved >= _SILENT_SECONDS or waited >= _SLOW_SECONDS:
            self._seen = replace(self._seen, state="waiting", seen=self._slow(archiver, waited), do=_SLOW_DO)
            return True
        return False

    def _with_words(self, seen: Archiving) -> Archiving:
        said = words_of(self.docker.logs(self.server.service, 60))
        return replace(seen, seen=f"{seen.seen}. The server says: {said}") if said else seen

    def _slow(self, archiver: Archiver, waited: float) -> str:
        at = archiver.archived_at
        last = f", {archiver.last_archived} at {spell(at)} was the last" if at else ""
        return (
            f"{self._wanted} was not seen to arrive within {waited:.0f} s: {archiver.archived} files were "
            f"archived{last}; {archiver.waiting} wait"
        )


_SLOW_DO = "See whether archive_command hangs or the archive is slow; `mayday doctor` says when it has caught up."


def recovered_alerts(arrival: Archiving) -> tuple[str, ...]:
    """What a recovery's report says first where WAL was not seen to arrive after it."""
    return _alerts(arrival, "Nothing that is written since the cut-over can be recovered from the archive")


def backup_alerts(arrival: Archiving) -> tuple[str, ...]:
    """The same of a base backup."""
    return _alerts(arrival, "No moment after this base backup can be recovered from the archive")


def plan_alerts(archiving: Archiving) -> tuple[str, ...]:
    """The same of a server as it is: what its own disk holds can still be recovered, as long as it lives."""
    since = f" since {spell(archiving.since)}" if archiving.since else ""
    return _alerts(archiving, f"WAL does not arrive in the archive{since}") if archiving.broken else ()


def _alerts(archiving: Archiving, what: str) -> tuple[str, ...]:
    if archiving.state == "well":
        return ()
    yet = what if archiving.broken else f"{what}, as far as could be seen"
    return (f"{yet}: {archiving.seen}. {archiving.do}".strip(),)


def backup_sheets(arrival: Archiving) -> tuple[Sheet, ...]:
    """The report of a base backup."""
    return (Sheet("Base backup", (("WAL archive", arrival.says()),), alerts=backup_alerts(arrival)),)


def archiving_rows(archiving: Archiving) -> tuple[tuple[str, str], ...]:
    """How it stands with the archive, for the plan and the window; nothing where there is nothing to say."""
    return (("WAL archive", archiving.says()),) if archiving.state != "well" else ()


def kept_rows(bad: tuple[BadCopy, ...], folder: str) -> tuple[tuple[str, str], ...]:
    """Bad copies of the archive in whose place a person can put what the recovery saved: the archiver will not."""
    found = [copy.file for copy in bad if not copy.needed]
    if not found:
        return ()
    names = listed(found, _SHOWN)
    do = f"move such a file away and put the whole one there, from {folder} where it lies in it"
    return (("Bad in the archive", f"{names}; {do}"),)


def bad_copy_rows(bad: tuple[BadCopy, ...]) -> tuple[tuple[str, str], ...]:
    """The files of the archive that cannot be used, those without a better copy first."""
    ordered = sorted(bad, key=lambda copy: not copy.needed)
    rows = [(copy.file, copy.why + ("" if copy.needed else "; another copy is used")) for copy in ordered[:_SHOWN]]
    more = [("…", f"{len(bad) - _SHOWN} more cannot be used")] if len(bad) > _SHOWN else []
    return (*rows, *more)
