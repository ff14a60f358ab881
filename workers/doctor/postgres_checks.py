"""What the doctor looks at of one PostgreSQL, as a plan would: the server, its archive, its backups, who writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.clock.times import span_words
from actions.findings import Finding
from actions.postgres.server import Server
from actions.settings.settings import Settings
from actions.settings.site import SiteConfig
from actions.steps.postgres.archiving import look_at_archiving
from actions.steps.postgres.look_at_server import look_at_server, see_writers
from actions.steps.postgres.read_window import WindowInputs, survey
from actions.wording import listed
from workers.doctor import disk_checks, server_checks
from workers.runner.toolbox import HostTools

_BASE_AGE = timedelta(hours=30)
_CLOCK_SKEW = timedelta(seconds=5)


@dataclass
class Patient:
    """What the checks of one server look at. `named` is what a command says so that this one of several is meant."""

    tools: HostTools
    clock: Callable[[], datetime]
    named: str = ""

    @property
    def now(self) -> datetime:
        return self.clock()

    @property
    def site(self) -> SiteConfig:
        return self.tools.site

    @property
    def take_one(self) -> str:
        return f"Take one: /backup run base{self.named}"

    def server(self) -> Server:
        t = self.tools
        return look_at_server(self.site.postgres, self.site, t.docker, t.files, t.servers)

    def around(self, server: Server) -> WindowInputs:
        return survey(server, self.tools.files, self.tools.sql, self.now)


def check(settings: Settings, patient: Patient, folders: dict[str, str]) -> Iterator[Finding]:
    """All findings. `folders` are those of the servers of this host that were looked at before, and get this one's.

    Raises:
        RecoveryError: the server cannot be looked at any further.
    """
    server = patient.server()
    yield Finding(
        "Postgres",
        server.state == "running",
        f"{server.service}, PostgreSQL {server.version}, {server.state}",
        f"Look at `docker logs {server.service}`.",
    )
    yield from own_folders(server, folders)
    yield from server_checks.check(patient.tools, server)
    where = next((one.docker for one in settings.stack() if one.name == patient.site.name), "")
    yield from disk_checks.check(settings, patient.tools.files.rooms(server), where)
    around = patient.around(server)
    yield from (look(patient, server, around) for look in _LOOKS)


def own_folders(server: Server, folders: dict[str, str]) -> Iterator[Finding]:
    """WAL of two servers bears the same names: in one folder each would take the other's for its own."""
    for what, path in (("WAL archive", server.archive), ("folder of base backups", server.bases)):
        other = folders.setdefault(path, server.service)
        if other != server.service:
            said = f"{path} is the {what} of {other} too"
            yield Finding("own folders", False, said, "Mount a folder of its own for each, and take new backups.")


def _archive(patient: Patient, server: Server, around: WindowInputs) -> Finding:
    """What the server says of its archiver, held against what lies in the archive."""
    seen = look_at_archiving(server, patient.tools.files, patient.tools.sql)
    if seen.state == "well" and not around.archived:
        return Finding("WAL archive", False, "it is empty", "Look at archive_command and pg_stat_archiver.")
    if seen.state != "well":
        return Finding("WAL archive", False, seen.seen, seen.do or "Look at pg_stat_archiver when the server answers.")
    at = around.archived_at
    newest = f"; newest commit in it {span_words(max(patient.now - at, timedelta()))} old" if at else ""
    return Finding("WAL archive", True, f"takes what the server writes{newest}")


def _copies(_patient: Patient, _server: Server, around: WindowInputs) -> Finding:
    """Files of the archive that are no copies of what their names say."""
    bad = around.window.bad
    more = [f"and {len(bad) - 3} more"] if bad[3:] else []
    names = "; ".join([*(f"{copy.file}: {copy.why}" for copy in bad[:3]), *more])
    return Finding(
        "WAL copies",
        not bad,
        names or "every file is what its name says",
        "Move these files away and put good copies in their places. An archive_command that keeps what is "
        "there waits for that for ever.",
    )


def _backups(patient: Patient, _server: Server, around: WindowInputs) -> Finding:
    live = around.window.live
    newest = max((r.backup.stopped_at for r in live.reaches if r.backup.stopped_at), default=None) if live else None
    if newest is None:
        return Finding("base backups", False, "none can be used", patient.take_one)
    age = max(patient.now - newest, timedelta())
    return Finding("base backups", age < _BASE_AGE, f"newest {span_words(age)} old", patient.take_one)


def _gaps(_patient: Patient, _server: Server, around: WindowInputs) -> Finding:
    gaps = [gap.first for part in around.window.timelines for gap in part.broken]
    return Finding(
        "WAL without gaps",
        not gaps,
        f"missing {listed(gaps, 3)}" if gaps else "no gap",
        "Bring the segments back, or take a base backup: moments after the gap need one.",
    )


def _writers(patient: Patient, _server: Server, _around: WindowInputs) -> Finding:
    site = patient.site
    found = {w.name for w in see_writers(site, patient.tools.docker).all}
    absent = [name for name in site.writers if name not in found]
    return Finding(
        "writers",
        not absent,
        f"not there: {', '.join(absent)}" if absent else ", ".join(sorted(found)),
        f"Correct {site.setting('writers')} in the settings.",
    )


def _clock(patient: Patient, server: Server, _around: WindowInputs) -> Finding:
    if server.state != "running":
        return Finding("clock", True, "not compared: the server is not running")
    sql = "select clock_timestamp() as now"
    before = patient.now
    seen = datetime.fromisoformat(patient.tools.sql.rows(server.service, server, sql)[0]["now"])
    # The server looked at its clock somewhere between: how long asking takes is not a difference of clocks.
    apart = max(before - seen, seen - patient.now, timedelta())
    return Finding(
        "clock",
        apart < _CLOCK_SKEW,
        f"{apart.total_seconds():.1f} s between this host and the server",
        "Set both clocks by NTP: targets are moments.",
    )


_LOOKS: tuple[Callable[[Patient, Server, WindowInputs], Finding], ...] = (
    _archive,
    _copies,
    _backups,
    _gaps,
    _writers,
    _clock,
)
