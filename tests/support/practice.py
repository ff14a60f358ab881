"""A practice company of the tests' own: real containers, a real worker, a real bot, the practice room.

It has another prefix and project than the one a person trains on, so both can be up at once.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actions.catalog import find
from actions.engine.journal import Entry, Kind, first_broken
from actions.engine.procedure import Act
from actions.engine.run import Run
from actions.engine.status import RETRY, STOP, UNDO, labels_of, rests, state_of
from actions.store import notes
from actions.store.store import Store
from actions.tools.names import Names
from lab import company, processes, town_process, truth
from lab.begun import begun
from lab.engine import connect
from lab.home import Lab, Layout
from lab.slack.client import PracticeSlack
from tests.soak.thread import incomplete
from workers.docker.exec import Inside

SERVICE_WAIT = 300.0


@dataclass
class Practice:
    """One practice company, and what tests do in it."""

    lab: Lab
    room: PracticeSlack
    store: Store

    @property
    def postgres(self) -> str:
        return self.lab.container("postgres")

    def say(self, text: str, user: str = "oncall", thread: str | None = None) -> dict[str, Any]:
        return self.room.say(text, user, thread)

    def click(
        self, label: str, user: str = "oncall", typed: str | None = None, thread: str | None = None
    ) -> dict[str, Any]:
        return self.room.click(label, user, thread, typed)

    def ask(self, when: str, user: str = "oncall") -> str:
        """Ask for a point-in-time recovery; the id of its run."""
        return self.begins(f"/recover postgres pitr {when}", user)

    def begins(self, command: str, user: str = "oncall") -> str:
        """Type a command that begins a run; the run's id."""
        answer = begun(self.store, self.say(command, user))
        assert answer.get("run"), answer
        return str(answer["run"])

    def pitr_to_preview(self, when: str, choice: str = "Pause writers and restore") -> str:
        """Ask, answer the first question, and wait for the preview; the id of the run."""
        run = self.ask(when)
        assert self.wait(run) == "asking", self.story(run)
        self.press(choice, run)
        assert self.wait(run) == "asking", self.story(run)
        return run

    def recover(self, when: str, choice: str = "Pause writers and restore") -> str:
        """A whole recovery, approved by a second person; the id of the run."""
        run = self.pitr_to_preview(when, choice)
        self.press("Cut over", run, "approver", typed=self.postgres)
        assert self.wait(run) == "recovered", self.story(run)
        return run

    def press(self, label: str, run: str, user: str = "oncall", typed: str | None = None) -> None:
        """Press a button of a run's newest question, as soon as the thread shows it; the journal has it then."""
        before = self.store.run(run).last
        end = time.monotonic() + 30
        while not (answer := self.click(label, user, typed, thread=run)).get("ok") and time.monotonic() < end:
            time.sleep(0.3)
        assert answer.get("ok"), answer
        self.until(lambda: self.store.run(run).last > before, 20, f"'{label}' counts", run)

    def decide(self, label: str, run: str, user: str = "oncall", typed: str | None = None) -> None:
        """Press until it counts: on a bad day of Slack a dialog may not open, or a click may not arrive."""
        before = self.store.run(run).last
        end = time.monotonic() + 60
        while self.store.run(run).last == before:
            assert time.monotonic() < end, f"'{label}' was not taken\n{self.story(run)}"
            if label in self.buttons(run):
                self.click(label, user, typed, thread=run)
            time.sleep(0.3)

    def buttons(self, run: str) -> list[str]:
        """The labels that the run's thread shows now."""
        shown = self.room.thread(run).get("messages", [])
        return [button["label"] for message in shown for button in message["buttons"]]

    def run(self, run: str) -> Run:
        return self.store.run(run)

    def wait(self, run: str, seconds: float = SERVICE_WAIT) -> str:
        """Wait until the run rests (asks, failed, was stopped, ended); its state."""
        self.until(lambda: rests(self.store.run(run)), seconds, f"run {run} rests", run)
        return str(state_of(self.store.run(run)))

    def wait_for(self, run: str, kind: Kind, title: str = "", seconds: float = 60) -> Entry:
        """Wait for an entry of that kind (and title) in the run's journal."""
        found: list[Entry] = []

        def there() -> bool:
            found[:] = [e for e in self.store.entries(run) if e.kind is kind and title in e.data.get("title", "")]
            return bool(found)

        self.until(there, seconds, f"{kind} {title}", run, every=0.02)
        return found[-1]

    def until(self, holds: Callable[[], bool], seconds: float, what: str, run: str = "", every: float = 0.2) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{what} did not come true in {seconds} s\n{self.story(run) if run else ''}"
            time.sleep(every)

    def story(self, run: str) -> str:
        """The run's journal for a failing test."""
        lines = [
            f"{e.n} {e.kind} {e.data.get('title', '')} {e.data.get('error', '')} {e.data.get('detail', '')}"
            for e in self.store.entries(run)
        ]
        return "\n".join([*lines, "worker:", processes.log_tail(self.lab, "worker", 15)])

    def times_done(self, run: str, title: str) -> int:
        return sum(e.kind is Kind.DONE and e.data["title"] == title for e in self.store.entries(run))

    def assert_thread_complete(self, run: str) -> None:
        """The thread caught up: its header tells the end, its questions stand in order, its file has all steps."""
        self.until(lambda: notes.cursor(self.store, "slack", run) >= self.store.run(run).last, 90, "the thread", run)
        wrong = list(incomplete(self.store.entries(run), self.room.thread(run)["messages"]))
        assert wrong == [], "\n".join([*wrong, *self.thread_texts(run)])

    # The company's parts -------------------------------------------------------------------------

    def kill(self, part: str) -> None:
        """End `worker`, `bot` or `slack` as a power cut would."""
        processes.kill(self.lab, part)

    def start(self, part: str) -> None:
        company.start_room(self.lab) if part == "slack" else company.start_part(self.lab, part)

    def psql(self, query: str, container: str = "") -> str:
        """One value or table of the live database, unaligned."""
        asked = ["psql", "-U", "postgres", "-d", "nself_db", "-XqAtc", query]
        # Not by Docker's command line: starting that costs as much as the query, hundreds of times.
        done = Inside(connect().api, container or self.postgres).run(asked, seconds=120)
        assert done.code == 0, f"{query}: {done.said()}"
        return done.out.strip()

    def docker(self, *arguments: str) -> str:
        return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()

    def made_for(self, run: str) -> list[str]:
        """The containers of a run, running or not."""
        found = connect().api.containers(all=True, filters={"label": f"mayday.run={run}"})
        return [one["Id"] for one in found]

    def clone_runs(self, run: str) -> bool:
        return bool(connect().api.containers(filters={"name": Names(run).clone}))

    def settle(self) -> None:
        """Take back, or end, whatever a failed test left open, so that the next one finds the service free."""
        for run in self.store.runs():
            for label in (STOP, UNDO, RETRY):
                if self.store.run(run).finished is not None:
                    break
                open_labels = labels_of(self.store.run(run))
                self.click(label if label in open_labels else open_labels[-1], thread=run)
                self.wait(run)

    def fresh_base(self) -> None:
        """Take a base backup of the database as it is now."""
        run = self.begins("/backup run base")
        assert self.wait(run) == "done", self.story(run)

    def now(self) -> str:
        """The server's time with microseconds, in UTC."""
        return self.psql("select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")

    def compare(self, when: str) -> truth.Comparison:
        """The live database, without what was written since, against what was acknowledged at that moment."""
        moment = company.parse_moment(when)
        return truth.compare(self.lab, moment, until=moment)

    # What must be true of a run that was interrupted ------------------------------------------------

    def comes_back(self, part: str, run: str, within: float = 20.0) -> None:
        """End a part as a power cut would, start it again; the run's journal grows within so many seconds."""
        self.kill(part)
        before = self.store.run(run).last
        self.start(part)
        self.until(lambda: self.store.run(run).last > before, within, f"run {run} goes on", run)

    def assert_on_the_record(self, run: str) -> None:
        """The chain holds, no act was done twice, and nothing of the run is left running."""
        told = self.store.entries(run)
        assert first_broken(told) is None, first_broken(told)
        acts = {i for i, step in enumerate(find(told[0].data["procedure"]).steps) if isinstance(step, Act)}
        done = [e.step for e in told if e.kind is Kind.DONE and e.step in acts]
        assert len(done) == len(set(done)), f"done twice\n{self.story(run)}"
        self.until(lambda: not self.made_for(run), 20, f"nothing of {run} is left running", run)

    def assert_recovered(self, run: str) -> None:
        """It is on the record, the old data is kept once, and no acknowledged message is missing or too many."""
        assert str(state_of(self.store.run(run))) == "recovered", self.story(run)
        self.assert_on_the_record(run)
        assert self.beside("before", run) == [f"postgres_before_{run}"]
        assert self.beside("clone", run) == []
        self.assert_nothing_lost()

    def assert_nothing_lost(self) -> None:
        """The database in service holds what was acknowledged on its branch; a request in flight may be there too."""
        self.until(
            lambda: (seen := self.compare("latest")).nothing_lost and len(seen.unacknowledged) < 5,
            20,
            "the database holds what was acknowledged",
        )

    def assert_clone_is_the_truth(self, run: str, when: str) -> None:
        """The clone of a preview holds just what was acknowledged at the target."""
        found = truth.compare(self.lab, company.parse_moment(when), container=Names(run).clone)
        assert found.equal, found

    def beside(self, kind: str, run: str) -> list[str]:
        """The directories of a run beside the live one: `clone`, `before`, `discarded`."""
        return sorted(p.name for p in self.lab.data("postgres").parent.glob(f"postgres_{kind}_{run}") if p.is_dir())

    def thread_texts(self, run: str) -> list[str]:
        """What the thread of a run says, message by message."""
        return [self._said(message) for message in self.room.thread(run)["messages"]]

    def told_alone(self, run: str, user: str = "oncall") -> list[str]:
        """What one person alone reads of a run that has no thread."""
        if self.room.thread(run)["ok"]:
            return []
        alone = [self._said(m) for m in self.room.state(user)["messages"] if m["only_for"]]
        return [said for said in alone if run in said]

    @staticmethod
    def _said(message: dict[str, Any]) -> str:
        return "\n".join(map(str, message.get("lines") or [message.get("text", "")]))


@contextmanager
def practice_company(
    root: Path,
    name: str = "mtest",
    layout: Layout = "bind",
    *,
    town: bool = True,
    hold_seconds: float = 0,
    standby: bool = False,
) -> Iterator[Practice]:
    """A company that is up, and is gone with all of its data afterwards.

    It is a lean one: the services that a database recovery never meets cost a small machine much. Its writers do not
    wait after a swap, unless that is what is tested.
    """
    lab = Lab(root, f"{name}-", name, layout, lean=True, hold_seconds=hold_seconds, standby=standby)
    try:
        company.up(lab, town=town)
        yield Practice(lab, PracticeSlack(company.address(lab)), company.open_store(lab))
    finally:
        town_process.stop(lab)
        company.down(lab, purge=True)
