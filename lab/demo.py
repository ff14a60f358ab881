"""`make demo`: the main job as a story, on the practice company of this machine, with the proof at the end."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from actions.engine.errors import RecoveryError
from actions.engine.status import State, rests, state_of
from actions.engine.store import Store
from lab import breaks, company, show, truth
from lab.begun import begun
from lab.home import Lab
from lab.saying import Answer, said
from lab.slack.client import PracticeSlack

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
        """Lose a channel, recover it with two people, prove it. Whether the proof held."""
        self._title("The town talks")
        time.sleep(_TALK_SECONDS)
        self._title("A channel is deleted, with all of its messages")
        lost = breaks.data_loss(self.lab)
        show.loss(self.console, lost)
        time.sleep(3)
        run = self._ask(lost["moment"])
        self._answer(run, "Pause writers and restore", "oncall")
        self._answer(run, "Cut over", "approver", self.lab.container("postgres"))
        return self._prove(run, lost)

    def _ask(self, moment: str) -> str:
        command = f"/recover postgres pitr {moment}"
        self._title(f"@oncall types {command}")
        answer = begun(self.store, said(self.room.say(command, "oncall"), Answer.SAY))
        if not answer["run"]:
            raise RecoveryError("The bot began no run.", detail=str(answer["answer"]), hint="See `mayday lab thread`.")
        self._until_it_rests(str(answer["run"]))
        return str(answer["run"])

    def _answer(self, run: str, label: str, user: str, typed: str | None = None) -> None:
        typing = f", typing {typed}" if typed else ""
        self._title(f"@{user} presses {label}{typing}")
        deadline = time.monotonic() + 30
        while not (answer := self.room.click(label, user, run, typed)).get("ok") and time.monotonic() < deadline:
            time.sleep(0.5)
        said(answer, Answer.CLICK)
        self._until_it_rests(run)

    def _until_it_rests(self, run: str) -> None:
        """Follow the thread until the run asks something or ends."""
        before: dict[str, Any] = {}
        deadline = time.monotonic() + _WAIT_SECONDS
        while not rests(self.store.run(run)):
            if time.monotonic() > deadline:
                raise RecoveryError("The run takes too long.", detail=f"It is {state_of(self.store.run(run))}.",
                                    hint=f"mayday lab wait {run}")  # fmt: skip
            before = self._news(run, before)
            time.sleep(0.5)
        time.sleep(2)
        self._news(run, before)

    def _news(self, run: str, before: dict[str, Any]) -> dict[str, Any]:
        thread = self.room.thread(run)
        fresh = {"messages": [m for m in thread.get("messages", ())[1:] if m["ts"] > self.seen]}
        if fresh["messages"]:
            show.thread(self.console, fresh)
            self.seen = fresh["messages"][-1]["ts"]
        return thread

    def _prove(self, run: str, lost: dict[str, Any]) -> bool:
        """The recovered database against what the town noted outside of it."""
        self._title("The proof")
        moment = company.parse_moment(lost["moment"])
        wanted = truth.truth_at(self.lab, moment)
        self.console.print(f"acknowledged at the target: {wanted}")
        seen = truth.compare(self.lab, moment, until=moment)
        self.console.print(f"in the recovered database:  {seen.database}")
        self.console.print(f"missing {len(seen.missing)}, different {len(seen.different)}, "
                           f"never acknowledged {len(seen.unacknowledged)}")  # fmt: skip
        ended = state_of(self.store.run(run))
        good = ended is State.RECOVERED and seen.nothing_lost
        self.console.print(
            f"run {run}: {ended}; {'the proof holds' if good else 'THE PROOF DOES NOT HOLD'}", style="bold"
        )
        return good

    def _title(self, text: str) -> None:
        self.console.print()
        self.console.rule(text, align="left")


def main() -> int:
    """Tell the story; the exit code tells whether the proof held."""
    console = Console(highlight=False)
    lab = Lab.saved(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / ".mayday" / "lab")
    began = time.monotonic()
    try:
        company.up(lab, say=console.print)
        console.print(f"The practice room is open at {company.address(lab)} - watch it there.")
        story = Story(lab, PracticeSlack(company.address(lab)), company.open_store(lab), console)
        good = story.tell()
    except RecoveryError as trouble:
        console.print("\n".join(part for part in (trouble.message, trouble.detail, trouble.hint) if part), markup=False)
        return 1
    console.print(f"\nTook {time.monotonic() - began:.0f} s. The company goes on; go on by hand:")
    for line in (f"open {company.address(lab)}", ".venv/bin/mayday lab break data-loss",
                 ".venv/bin/mayday lab say '/recover postgres pitr 2m ago' --as oncall",
                 ".venv/bin/mayday lab thread --follow", ".venv/bin/mayday lab down --purge"):  # fmt: skip
        console.print(f"  {line}", markup=False)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
