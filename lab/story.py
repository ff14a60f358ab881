"""The story that `make demo` tells: a page, a thread, a recovery by two people, the public told, the proof."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from actions.engine.errors import RecoveryError
from actions.engine.ids import is_errand
from actions.engine.status import RunState, rests, state_of
from actions.incidents import incident as incidents
from actions.incidents.document_export import document_of
from actions.incidents.document_rendering import markdown
from actions.incidents.take_in_events import ALERT
from actions.steps.postgres.hold import LET_ON
from actions.store.store import Store
from lab import breaks, company, show, truth
from lab.home import Lab
from lab.pagerduty import place as pagerduty
from lab.saying import Answer, said
from lab.slack.client import PracticeSlack
from lab.statuspage import part as statuspage
from lab.statuspage.client import PracticePage

TITLE = "Rows vanished from nchat_messages"
_TALK_SECONDS = 8.0
_WAIT_SECONDS = 240.0


@dataclass
class Story:
    """One telling of it."""

    lab: Lab
    room: PracticeSlack
    store: Store
    console: Console
    seen: str = ""

    def tell(self) -> bool:
        """Lose a channel, be paged, recover it with two people, tell the world, prove it. Whether the proof held."""
        self._title("The town talks")
        time.sleep(_TALK_SECONDS)
        self._title("A channel is deleted, with all of its messages")
        lost = breaks.data_loss(self.lab)
        show.loss(self.console, lost)
        incident, thread = self._paged()
        self._press(thread, "Acknowledge", "oncall")
        self._header_says(thread, "Acknowledged")
        run = self._ask(incident, thread, lost["moment"])
        self._answer(run, thread, "Pause writers and restore", "oncall")
        self._answer(run, thread, "Cut over", "approver", self.lab.container("postgres"))
        self._answer(run, thread, LET_ON, "oncall")
        self._tell_the_world(thread)
        self._press(thread, "Resolve", "oncall")
        self._header_says(thread, "Resolved")
        self._over(thread)
        self._document(incident)
        return self._prove(run, lost)

    def _paged(self) -> tuple[str, str]:
        """PagerDuty pages; the incident and its thread."""
        self._title(f"PagerDuty pages: {TITLE}")
        [paged] = pagerduty.client(self.lab).page(TITLE, "postgres", "high")["incidents"]
        began = time.monotonic()
        self._until(lambda: bool(self.store.note(ALERT, paged)), 20, "The page opened no incident.")
        incident = str(self.store.note(ALERT, paged))
        self._until(lambda: bool(self._thread_of(incident)), 20, "The incident has no thread.")
        self.console.print(f"A thread stands after {time.monotonic() - began:.1f} s.")
        thread = self._thread_of(incident)
        show.thread(self.console, {"messages": self.room.thread(thread)["messages"][:1]})
        self.seen = str(self.room.thread(thread)["messages"][-1]["ts"])
        return incident, thread

    def _thread_of(self, incident: str) -> str:
        return str((self.store.note("post", f"{incident}:1") or {}).get("ts") or "")

    def _ask(self, incident: str, thread: str, moment: str) -> str:
        """The dialog behind the button asks to which moment; the run that it begins belongs to the incident."""
        before = len(self._runs(incident))
        self._press(thread, "Recover…", "oncall", moment)
        self._until(lambda: len(self._runs(incident)) > before, 20, "No run began.")
        run = self._runs(incident)[-1]
        self._until_it_rests(run, thread)
        return run

    def _runs(self, incident: str) -> list[str]:
        linked = incidents.fold(self.store.entries(incident)).runs
        return [one.run for one in linked if not is_errand(one.run)]

    def _answer(self, run: str, thread: str, label: str, user: str, typed: str | None = None) -> None:
        self._press(thread, label, user, typed)
        self._until_it_rests(run, thread)

    def _press(self, thread: str, label: str, user: str, typed: str | None = None) -> None:
        self._title(f"@{user} presses {label}" + (f", typing {typed}" if typed else ""))
        deadline = time.monotonic() + 30
        while not (answer := self.room.click(label, user, thread, typed)).get("ok") and time.monotonic() < deadline:
            time.sleep(0.5)
        said(answer, Answer.CLICK)

    def _tell_the_world(self, thread: str) -> None:
        """What the bot drafts is published as it is; in the room's page a person would edit it first."""
        self._press(thread, "Status page…", "oncall")
        page = PracticePage(statuspage.address(self.lab))
        self._until(lambda: bool(page.state()["incidents"]), 30, "Nothing stands on the status page.")
        self._public(page)

    def _public(self, page: PracticePage) -> None:
        shown = page.state()["incidents"][0]
        self.console.print(f"The status page says of “{shown['name']}”: {shown['status']}.", markup=False)
        self.console.print(f"The public reads it at {statuspage.address(self.lab)}")

    def _header_says(self, thread: str, word: str) -> None:
        """The line of the incident's header with that word, once it stands there."""

        def lines() -> list[str]:
            return [line for line in self.room.thread(thread)["messages"][0]["lines"] if word in line]

        self._until(lambda: bool(lines()), 30, f"The thread does not say {word}.")
        show.line(self.console, lines()[0])

    def _over(self, thread: str) -> None:
        """That it is over PagerDuty hears by itself; the public reads it once somebody publishes it."""
        seen = pagerduty.client(self.lab)
        page = PracticePage(statuspage.address(self.lab))
        self._until(lambda: not seen.state()["open"], 30, "The incident is still open in PagerDuty.")
        self._press(thread, "Status page…", "oncall")
        self._until(lambda: page.state()["incidents"][0]["status"] == "resolved", 30, "The status page says nothing.")
        self._public(page)
        newest = seen.state()["incidents"][0]
        self.console.print(f"PagerDuty: #{newest['number']} is {newest['status']}; Mayday's notes there:")
        for note in newest["notes"]:
            self.console.print(f"  {note['text']}", markup=False, soft_wrap=True)

    def _document(self, incident: str) -> None:
        """The post-incident document, written from the journals alone."""
        self._title("The document")
        self.lab.documents.mkdir(exist_ok=True)
        path = self.lab.documents / f"{incident}.md"
        path.write_text(markdown(document_of(self.store, incident)))
        lines = path.read_text().splitlines()
        self.console.print("\n".join(lines[:14]), markup=False, soft_wrap=True)
        self.console.print(f"… {len(lines)} lines in {path}", soft_wrap=True)

    def _until(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise RecoveryError(otherwise, detail=f"Waited {seconds:.0f} s.", hint=f"{show.MAYDAY} lab thread")
            time.sleep(0.1)

    def _until_it_rests(self, run: str, thread: str) -> None:
        """Follow the thread until the run asks something or ends."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while not rests(self.store.run(run)):
            if time.monotonic() > deadline:
                raise RecoveryError(
                    "The run takes too long.",
                    detail=f"It is {state_of(self.store.run(run))}.",
                    hint=f"{show.MAYDAY} lab wait {run}",
                )
            self._news(thread)
            time.sleep(0.5)
        time.sleep(2)
        self._news(thread)

    def _news(self, thread: str) -> None:
        fresh = [m for m in self.room.thread(thread).get("messages", ())[1:] if m["ts"] > self.seen]
        if fresh:
            show.thread(self.console, {"messages": fresh})
            self.seen = fresh[-1]["ts"]

    def _prove(self, run: str, lost: dict[str, Any]) -> bool:
        """The recovered database against what the town noted outside of it."""
        self._title("The proof")
        moment = company.parse_moment(lost["moment"])
        seen = truth.compare(self.lab, moment, until=moment)
        self.console.print(f"acknowledged at the target: {seen.truth}", soft_wrap=True)
        self.console.print(f"in the recovered database:  {seen.database}", soft_wrap=True)
        self.console.print(
            f"missing {len(seen.missing)}, different {len(seen.different)}, "
            f"never acknowledged {len(seen.unacknowledged)}"
        )
        ended = state_of(self.store.run(run))
        good = ended is RunState.RECOVERED and seen.nothing_lost
        verdict = "the proof holds" if good else "THE PROOF DOES NOT HOLD"
        self.console.print(f"run {run}: {ended}; {verdict}", style="bold")
        return good

    def _title(self, text: str) -> None:
        self.console.print()
        self.console.rule(text, align="left")
