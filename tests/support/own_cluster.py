"""A PostgreSQL container of a test's own, set up in any odd way, and recoveries of it carried out in this process.

For everything that is about the cluster itself: no bot, no Redis, no practice company. The loop, the store and the
tools are the real ones.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actions import catalog
from actions.control import answers
from actions.engine.facts import to_json
from actions.engine.journal import Kind
from actions.engine.reading import Asker
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.engine.status import labels_of, state_of
from actions.postgres.postmaster import CLONE
from actions.settings.site import SiteConfig
from actions.store.store import Store
from actions.tools.names import Names
from lab.engine import connect
from lab.images import POSTGRES
from workers.docker.exec import Inside
from workers.runner.leased_runner import LeasedRunner
from workers.runner.scope import Toolbox
from workers.runner.toolbox import DockerToolbox

ONCALL = Speaker("U-ONCALL", "oncall", may_ask=True, may_approve=False)
APPROVER = Speaker("U-APPROVER", "approver", may_ask=True, may_approve=True)
ARCHIVE_COMMAND = (
    "test ! -f /backups/postgres/wal/%f && cp %p /backups/postgres/wal/%f || cmp -s %p /backups/postgres/wal/%f"
)
PITR, BASE = "postgres pitr", "postgres base backup"
PAUSE, KEEP, CUT = "Pause writers and restore", "Restore, keep serving", "Cut over"
_PGDATA = "/var/lib/postgresql/data"
_UID = 999  # postgres in Debian's and so in the official image.


def archiving(command: str = ARCHIVE_COMMAND) -> list[str]:
    """Flags of a server that archives its WAL."""
    return ["-c", "archive_mode=on", "-c", f"archive_command={command}", "-c", "archive_timeout=60", "-c", "fsync=off"]


@dataclass
class Cluster:
    """One server in one container. `folder` on this host holds `data/postgres`, `backups/postgres/{wal,base}`.

    `toolbox` opens the tools; without one they are those of its own settings alone. `follows` is the primary that its
    requests name, and that one's site.
    """

    name: str
    folder: Path
    site: SiteConfig
    store: Store
    psql: tuple[str, ...] = ()
    uid: int = _UID
    started: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    toolbox: Toolbox | None = None
    follows: tuple[str, str] = ("", "")

    # The server ----------------------------------------------------------------------------------

    @property
    def data(self) -> Path:
        return self.folder / "data" / "postgres"

    @property
    def archive(self) -> Path:
        return self.folder / "backups" / "postgres" / "wal"

    @property
    def bases(self) -> Path:
        return self.folder / "backups" / "postgres" / "base"

    def make_folders(self) -> None:
        for path in (self.data, self.archive, self.bases):
            path.mkdir(parents=True, exist_ok=True)
            os.chown(path, self.uid, self.uid)

    def start(
        self,
        command: Sequence[str] | None = None,
        *,
        run: Sequence[str] = (),
        data: Sequence[str] | None = None,
        env: dict[str, str] | None = None,
        image: str = POSTGRES,
        ready: bool = True,
        network: str = "none",
    ) -> None:
        """Run the container. `run` are more arguments of `docker run`, `data` those that mount PGDATA."""
        self.make_folders()
        mount = ["-v", f"{self.data}:{_PGDATA}"] if data is None else data
        given = {"POSTGRES_PASSWORD": secrets.token_hex(8), "POSTGRES_DB": self.site.database, **(env or {})}
        settings = [part for name, value in given.items() for part in ("-e", f"{name}={value}")]
        self.docker(
            "run",
            "-d",
            "--name",
            self.name,
            "--restart",
            "unless-stopped",
            "--network",
            network,
            *settings,
            *mount,
            "-v",
            f"{self.folder / 'backups'}:/backups",
            *run,
            image,
            *(["postgres", *archiving()] if command is None else command),
        )
        self.started.append(self.name)
        if ready:
            self.ready()

    def make_volume(self, name: str, *options: str) -> None:
        """Create a named volume, which is removed with the cluster."""
        self.docker("volume", "create", "--driver", "local", *options, name)
        self.volumes.append(name)

    def ready(self, container: str = "", seconds: float = 60) -> None:
        """Wait until the server answers, twice: the image's first server is only there for initdb."""
        for _ in range(2):
            self.until(
                lambda: self._asked("select 1", self.site.database, container).code == 0,
                seconds,
                f"{container or self.name} answers",
            )
            time.sleep(0.6)

    def sql(self, query: str, database: str = "", container: str = "") -> str:
        """What psql prints, unaligned; several statements are one transaction."""
        done = self._asked(query, database or self.site.database, container)
        assert done.code == 0, f"{query}: {done.said()}"
        return done.out.strip()

    def _asked(self, query: str, database: str, container: str) -> Any:
        # A clone's socket is where nobody but its own container has it.
        way = ["-h", CLONE.host] if container.startswith(Names("").clone) else self.psql
        argv = ["psql", *way, "-U", self.site.user, "-d", database, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", query]
        return Inside(connect().api, container or self.name, str(self.uid)).run(argv, seconds=120)

    def now(self) -> str:
        """The server's time in UTC with microseconds; something else may be committed only a moment later."""
        time.sleep(0.3)
        at = self.sql("select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        time.sleep(0.3)
        return at

    def switch(self) -> str:
        """End the segment and wait until it is archived; its name."""
        name = self.sql("select pg_walfile_name(pg_switch_wal())")
        self.until(lambda: any(self.archive.glob(f"{name}*")), 30, f"{name} is archived")
        return name

    def docker(self, *arguments: str) -> str:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"not in {seconds} s: {what}"
            time.sleep(0.2)

    # Recoveries ----------------------------------------------------------------------------------

    def ask(self, name: str, text: str = "", by: Speaker = ONCALL) -> Run:
        """Ask for a procedure by its name and carry it out until it rests."""
        return self.work(self.asks(name, text, by))

    def asks(self, name: str, text: str = "", by: Speaker = ONCALL) -> str:
        """Ask for a procedure by its name; the id of its run, which waits for a worker."""
        procedure = catalog.find(name)
        request = procedure.words.read(text, Asker(datetime.now(UTC), "UTC", "UTC", self.name, *self.follows))
        run = f"r{len(self.store.runs()) + 1:04d}-{secrets.token_hex(2)}"
        data = {
            "procedure": procedure.name,
            "table": procedure.table,
            "service": self.name,
            "site": self.site.name,
            "by": by.id,
            "name": by.name,
            "request": to_json(request),
            "summary": procedure.name,
            "origin": {},
        }
        self.store.open_run(run, data, claims=procedure.claims, yields=procedure.yields, key=f"key of {run}")
        return run

    def work(self, run: str) -> Run:
        toolbox = self.toolbox or DockerToolbox(self.store, self.site)
        LeasedRunner(self.store, catalog.find, toolbox, "tests").carry_out(run)
        return self.store.run(run)

    def answer(self, run: str, label: str, by: Speaker = ONCALL, text: str = "") -> Run:
        """Choose an option of the open question and carry the run on."""
        question = self.store.run(run).question
        assert question is not None, self.story(run)
        answers.answer(self.store, run, question.n, label, by, text)
        return self.work(run)

    def retry(self, run: str, by: Speaker = ONCALL) -> Run:
        answers.retry(self.store, run, by)
        return self.work(run)

    def undo(self, run: str, by: Speaker = ONCALL) -> Run:
        answers.undo(self.store, catalog.find(self.store.run(run).procedure), run, by)
        return self.work(run)

    def base(self) -> str:
        """Take a base backup with Mayday; its name."""
        run = self.ask(BASE)
        assert state_of(run) == "done", self.story(run.id)
        return f"base_{run.id}"

    def plan(self, when: str) -> Run:
        """Ask for a point in time: the run asks its first question, or was refused."""
        return self.ask(PITR, when)

    def preview(self, when: str, mode: str = KEEP) -> Run:
        """A run that asks whether to cut over."""
        run = self.plan(when)
        assert run.question is not None, self.story(run.id)
        run = self.answer(run.id, mode)
        assert run.question is not None, self.story(run.id)
        return run

    def cut_over(self, run: str, label: str = CUT) -> Run:
        """Approve as the second person does, and carry the run to its end."""
        return self.answer(run, label, APPROVER, self.name)

    def recover(self, when: str, mode: str = KEEP) -> Run:
        """A whole recovery; it ended as recovered."""
        run = self.cut_over(self.preview(when, mode).id)
        assert state_of(run) == "recovered", self.story(run.id)
        return run

    def clone(self, run: str) -> str:
        """The container of a run's clone."""
        return Names(run).clone

    def settle(self) -> None:
        """End every open run, as people would: by the last option, or by Undo."""
        for run in self.store.runs():
            for _ in range(4):
                state = self.store.run(run)
                if state.finished is not None:
                    break
                if state.question is not None:
                    self.answer(run, labels_of(state)[-1], APPROVER)
                else:
                    self.undo(run, APPROVER)

    # What was said -------------------------------------------------------------------------------

    def said(self, run: str) -> str:
        """Everything that people read in the newest question, or in the report: alerts, titles, rows, notes."""
        return "\n".join(line for sheet in self.sheets(run) for line in lines_of(sheet))

    def sheets(self, run: str) -> list[dict[str, Any]]:
        """The sheets of the newest question, or of the report once the run has ended."""
        given = [
            e.data.get("report") or e.data.get("sheets")
            for e in self.store.entries(run)
            if e.kind in (Kind.ASKED, Kind.FINISHED)
        ]
        return list((given[-1] if given else None) or [])

    def trouble(self, run: str) -> str:
        """Message, detail and hint of the newest failure or refusal."""
        told = [e.data for e in self.store.entries(run) if e.data.get("error")]
        assert told, self.story(run)
        return " ".join(str(told[-1].get(part) or "") for part in ("error", "detail", "hint"))

    def story(self, run: str) -> str:
        """The run's journal for a failing test."""
        told = [
            f"{e.n} {e.kind} {e.data.get('title', '')} {e.data.get('error', '')} {e.data.get('detail', '')}"
            for e in self.store.entries(run)
        ]
        return "\n".join(told)


def lines_of(sheet: dict[str, Any]) -> list[str]:
    rows = [f"{label}: {value}" for label, value in sheet.get("rows") or []]
    return [*(f"! {a}" for a in sheet.get("alerts") or []), str(sheet["title"]), *rows, *(sheet.get("notes") or [])]


@contextmanager
def own_cluster(root: Path, name: str, **site: Any) -> Iterator[Cluster]:
    """A cluster that is not started yet; all that was started and made for it is gone afterwards.

    `site` are fields of the site's settings other than the defaults here.
    """
    container = f"mt-{name}-{secrets.token_hex(2)}"
    folder = root / container
    settings = SiteConfig(
        name=container,
        postgres=container,
        database="appdb",
        user="postgres",
        archive="/backups/postgres/wal",
        bases="/backups/postgres/base",
        writers=(),
        hold_seconds=0,
    )
    folder.mkdir(parents=True)
    store = Store(f"sqlite:///{folder / 'mayday.db'}", lambda: datetime.now(UTC))
    cluster = Cluster(container, folder, replace(settings, **site), store)
    try:
        yield cluster
    finally:
        _remove(cluster)
        shutil.rmtree(folder, ignore_errors=True)


def _remove(cluster: Cluster) -> None:
    api = connect().api
    made = set(cluster.store.runs())
    mine = [one["Id"] for one in api.containers(all=True) if (one.get("Labels") or {}).get("mayday.run") in made]
    for container in (*mine, *cluster.started):
        subprocess.run(["docker", "rm", "-f", "-v", container], capture_output=True, check=False)
    for volume in cluster.volumes:
        subprocess.run(["docker", "volume", "rm", "-f", volume], capture_output=True, check=False)
