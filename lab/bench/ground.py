"""The ground that figures are measured on: a company, its runs, and a recovery made by hand beside them."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from actions.engine.errors import RecoveryError
from actions.engine.journal import Kind
from actions.engine.status import RunState, rests, state_of
from actions.steps.writers import KEEP_SERVING
from lab import company, processes
from lab.home import Lab
from lab.images import POSTGRES
from lab.slack.client import PracticeSlack

_BLOCK_ROWS = 20_000


def until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Look often until it holds.

    Raises:
        RecoveryError: it did not hold in so many seconds; `otherwise` says what that means.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise RecoveryError(otherwise, detail=f"Waited {seconds:.0f} s.", hint="See the bot's log.")
        time.sleep(0.02)


@dataclass
class Ground:
    """A company that is up."""

    lab: Lab
    console: Console

    @property
    def room(self) -> PracticeSlack:
        """The practice room."""
        return PracticeSlack(company.address(self.lab))

    @property
    def postgres(self) -> str:
        """The container of the database."""
        return self.lab.container("postgres")

    def psql(self, *queries: str, container: str = "") -> str:
        """One value of a database; each query is a transaction of its own."""
        asked = [part for query in queries for part in ("-c", query)]
        return self.docker(
            "exec", container or self.postgres, "psql", "-U", "postgres", "-d", "nself_db", "-XqAt", *asked
        )

    def docker(self, *arguments: str) -> str:
        """A docker command's output."""
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RecoveryError(f"docker {arguments[0]} failed.", detail=done.stderr[-400:], hint="See docker ps -a.")
        return done.stdout.strip()

    def now(self) -> str:
        """The server's time."""
        return self.psql("select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")

    def ask(self, when: str) -> str:
        """Ask for a recovery, wait for the first question; the run."""
        return self.begin(f"/recover postgres pitr {when}")

    def begin(self, command: str) -> str:
        """Type a command that begins a run, wait for its first question; the run."""
        answer = self.room.say(command, "oncall")
        # Where the channel is busy, the answer names the run before its thread stands.
        named = re.search(r"Run `([^`]+)`", " ".join(answer.get("answers", ())))
        run = str(answer.get("run") or (named[1] if named else ""))
        if not run:
            raise RecoveryError("No run began.", detail=str(answer), hint="See the bot's log.")
        self.rest(run, RunState.ASKING)
        return run

    def restore(self, when: str) -> str:
        """Ask for a recovery and have it restore while everybody is served; the run."""
        run = self.ask(when)
        self.press(run, KEEP_SERVING)
        return run

    def approve(self, run: str) -> None:
        """A second person agrees to the cut-over."""
        self.press(run, "Cut over", "approver", self.postgres)

    def give_up(self, run: str, label: str = "Discard") -> None:
        """End a run without its cut-over."""
        self.press(run, label)
        self.rest(run, RunState.DISCARDED)
        self.remove_kept(run)

    def remove_kept(self, run: str) -> None:
        """Remove what a run that has ended left beside the live data: a product keeps it, a bench would fill the disk.

        In a container, as the files belong to the server's user.
        """
        beside = f"{self.lab.data('postgres').parent}:/data"
        self.docker(
            "run",
            "--rm",
            "--network=none",
            "--entrypoint=sh",
            "-v",
            beside,
            POSTGRES,
            "-c",
            'rm -rf /data/*_"$1" /data/*_"$1".mayday.json',
            "sh",
            run,
        )

    def press(self, run: str, label: str, user: str = "oncall", typed: str | None = None) -> None:
        """Press a button as soon as it is there."""
        deadline = time.monotonic() + 30
        while not (answer := self.room.click(label, user, run, typed)).get("ok"):
            if time.monotonic() > deadline:
                raise RecoveryError(f"'{label}' could not be pressed.", detail=str(answer), hint="See the thread.")
            time.sleep(0.2)

    def rest(self, run: str, wanted: RunState) -> None:
        """Wait until the run rests, in the state that is wanted."""
        store = company.open_store(self.lab)
        deadline = time.monotonic() + 900
        while not rests(store.run(run)) and time.monotonic() < deadline:
            time.sleep(0.1)
        state = store.run(run)
        if state_of(state) != wanted:
            failure = state.failure
            raise RecoveryError(
                f"Run {run} is {state_of(state)}, not {wanted}.",
                detail=f"{failure.said} {failure.detail}" if failure else "",
                hint=processes.log_tail(self.lab, "worker"),
            )

    def seconds(self, run: str, since: tuple[Kind, str], until: tuple[Kind, str]) -> float:
        """From one entry of a run's journal to another, by kind and title."""
        told = company.open_store(self.lab).entries(run)

        def at(wanted: tuple[Kind, str]) -> Any:
            return next(
                e.at for e in told if e.kind is wanted[0] and wanted[1] in e.data.get("title", e.data.get("option", ""))
            )

        return float((at(until) - at(since)).total_seconds())

    def write_wal(self, gigabytes: float) -> str:
        """Write so much WAL after the base backup, then some commits more; the moment between is the target."""
        self.console.print(f"Writing {gigabytes:g} GB of WAL.")
        self.psql("create table if not exists bench_rows (id bigint, body text)")
        start = self.psql("select pg_current_wal_lsn()")
        while int(self.psql(f"select (pg_current_wal_lsn() - '{start}')::bigint")) < gigabytes * (1 << 30):
            self.psql(
                "insert into bench_rows select g, repeat(md5(random()::text), 20) "
                f"from generate_series(1, {_BLOCK_ROWS}) g"
            )
            # Else the server itself comes to it, in the midst of what is measured.
            self.psql("vacuum bench_rows")
        target = self.now()
        for _ in range(20):
            self.psql("insert into bench_rows values (0, 'after the target')")
        # By hand only the archive is laid, so the segment of the target has to arrive there first.
        self.psql("select pg_switch_wal()")
        time.sleep(5)
        return target

    def archive_segments(self, count: int) -> None:
        """Switch WAL until the archive holds so many segments."""
        self.console.print(f"Filling the archive up to {count} segments.")
        while (held := sum(1 for f in self.lab.wal_archive.iterdir() if len(f.name) == 24)) < count:
            one = ["insert into bench_rows values (0, 'switch')", "select pg_switch_wal()"]
            self.psql(*one * min(20, count - held))
            time.sleep(1)

    def settle(self) -> None:
        """Have all written that still waits for the disk, so that nobody pays for what somebody else wrote before."""
        self.psql("checkpoint")
        os.sync()

    def clear(self) -> None:
        """Remove the containers of runs of this company."""
        listed = subprocess.run(
            ["docker", "ps", "-aq", "--filter", "label=mayday.run"], capture_output=True, text=True, check=False
        )
        for ident in listed.stdout.split():
            mounts = subprocess.run(
                ["docker", "inspect", "-f", "{{json .Mounts}}", ident], capture_output=True, text=True, check=False
            )
            if str(self.lab.root) in mounts.stdout:
                subprocess.run(["docker", "rm", "-fv", ident], capture_output=True, check=False)
