"""What `mayday doctor` asks of the workers' side: Docker, Postgres, archive, backups, queue, worker, clock, page."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis

from actions.clock.times import span_words
from actions.engine.errors import RecoveryError
from actions.engine.notes import living_workers
from actions.engine.run import Run
from actions.engine.store import Store
from actions.findings import Finding
from actions.incidents.kept_events import set_aside
from actions.postgres.server import Server
from actions.settings.settings import Settings
from actions.steps.postgres.archiving import look_at_archiving
from actions.steps.postgres.look_at_server import look_at_server, see_writers
from actions.steps.postgres.read_window import WindowInputs, survey
from workers.docker.helper import LOOKS
from workers.doctor import disk_checks, file_checks, pagerduty_checks, server_checks, stack_checks
from workers.runner.queue import connect, open_to_all
from workers.runner.toolbox import HostTools, docker_toolbox
from workers.statuspage import page_checks as status_page
from workers.watch import audit

_BASE_AGE = timedelta(hours=30)
_CLOCK_SKEW = timedelta(seconds=5)


def check(settings: Settings, store: Store) -> list[Finding]:
    """Everything on this side, in the order in which it would be mended."""
    outside = [*pagerduty_checks.check(settings), *event_findings(store), *status_page.check(settings, store.clock)]
    here = [_queue(settings), _worker(store), *stack_checks.check(settings), *file_checks.check(settings)]
    return [*here, audit.finding(settings, store), *site_findings(settings, store), *outside]


def _queue(settings: Settings) -> Finding:
    try:
        connect(settings.redis.get_secret_value()).ping()
    except (redis.RedisError, ValueError) as away:
        return Finding(
            "queue (Redis)",
            False,
            str(away)[:200],
            "Start Redis or mend `redis` in the settings. Runs go on without it, only later.",
        )
    if open_to_all(settings.redis.get_secret_value()):
        do = "Give Redis a password, better a user of its own, and put it into `redis`: docs/security.md."
        return Finding("queue (Redis)", False, "answers whoever reaches it: it asks for no password", do)
    return Finding("queue (Redis)", True, "answers")


def event_findings(store: Store) -> Iterator[Finding]:
    """What PagerDuty sent and nobody could read; nothing where there is none."""
    if aside := set_aside(store):
        key, why = next(iter(aside.items()))
        yield Finding(
            "PagerDuty events",
            False,
            f"{len(aside)} could not be read, for example {key}: {why}",
            "Look at those incidents in PagerDuty itself; the events are kept for 30 days.",
        )


def _worker(store: Store) -> Finding:
    alive = living_workers(store)
    said = ", ".join(f"{w['host']} for site {w['site']}, {w['version']}" for w in alive.values())
    return Finding("worker", bool(alive), said or "none is alive", "Start one: mayday worker")


@dataclass
class _Patient:
    """What the checks of one site look at."""

    tools: HostTools
    clock: Callable[[], datetime]

    @property
    def now(self) -> datetime:
        return self.clock()

    def server(self) -> Server:
        t = self.tools
        return look_at_server(t.site.postgres, t.site, t.docker, t.files, t.servers)

    def around(self, server: Server) -> WindowInputs:
        return survey(server, self.tools.files, self.tools.sql, self.now)


def site_findings(settings: Settings, store: Store) -> Iterator[Finding]:
    """Look at the host as a run would; the first thing that is not there ends the list."""
    toolbox = docker_toolbox(settings, store)
    # A name of its own: two doctors at once must not take each other's helper away.
    name, site = f"{LOOKS}{secrets.token_hex(3)}", settings.site
    run = Run(name, "doctor", "", site.postgres, site.name, "", {}, {}, store.clock())
    try:
        with toolbox.open(run) as tools:
            patient = _Patient(tools, store.clock)
            yield Finding("Docker", True, f"answers on {tools.docker.host}")
            server = patient.server()
            yield Finding(
                "Postgres",
                server.state == "running",
                f"{server.service}, PostgreSQL {server.version}, {server.state}",
                f"Look at `docker logs {server.service}`.",
            )
            yield from server_checks.check(tools, server)
            yield from disk_checks.check(settings, tools.files.rooms(server))
            around = patient.around(server)
            yield from (look(patient, server, around) for look in _LOOKS)
    except RecoveryError as trouble:
        yield Finding("host", False, f"{trouble.message} {trouble.detail}".strip(), trouble.hint)


def _archive(patient: _Patient, server: Server, around: WindowInputs) -> Finding:
    """What the server says of its archiver, held against what lies in the archive."""
    seen = look_at_archiving(server, patient.tools.files, patient.tools.sql)
    if seen.state == "well" and not around.archived:
        return Finding("WAL archive", False, "it is empty", "Look at archive_command and pg_stat_archiver.")
    if seen.state != "well":
        return Finding("WAL archive", False, seen.seen, seen.do or "Look at pg_stat_archiver when the server answers.")
    at = around.archived_at
    newest = f"; newest commit in it {span_words(max(patient.now - at, timedelta()))} old" if at else ""
    return Finding("WAL archive", True, f"takes what the server writes{newest}")


def _copies(_patient: _Patient, _server: Server, around: WindowInputs) -> Finding:
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


def _backups(patient: _Patient, _server: Server, around: WindowInputs) -> Finding:
    live = around.window.live
    newest = max((r.backup.stopped_at for r in live.reaches if r.backup.stopped_at), default=None) if live else None
    if newest is None:
        return Finding("base backups", False, "none can be used", "Take one: /backup run base")
    age = max(patient.now - newest, timedelta())
    return Finding("base backups", age < _BASE_AGE, f"newest {span_words(age)} old", "Take one: /backup run base")


def _gaps(_patient: _Patient, _server: Server, around: WindowInputs) -> Finding:
    gaps = [gap.first for part in around.window.timelines for gap in part.broken]
    return Finding(
        "WAL without gaps",
        not gaps,
        f"missing {', '.join(gaps[:3])}" if gaps else "no gap",
        "Bring the segments back, or take a base backup: moments after the gap need one.",
    )


def _writers(patient: _Patient, _server: Server, _around: WindowInputs) -> Finding:
    site = patient.tools.site
    found = {w.name for w in see_writers(site, patient.tools.docker).all}
    absent = [name for name in site.writers if name not in found]
    return Finding(
        "writers",
        not absent,
        f"not there: {', '.join(absent)}" if absent else ", ".join(sorted(found)),
        "Correct `site.writers` in the settings.",
    )


def _clock(patient: _Patient, server: Server, _around: WindowInputs) -> Finding:
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


_LOOKS: tuple[Callable[[_Patient, Server, WindowInputs], Finding], ...] = (
    _archive,
    _copies,
    _backups,
    _gaps,
    _writers,
    _clock,
)
