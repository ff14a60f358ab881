"""PagerDuty as a small world: incidents, notes and who is on call, with bad days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from actions.engine.errors import Away, RecoveryError
from actions.engine.run import Run
from actions.tools.outside import OnCall, Paged, Unread
from actions.tools.registry import ErrandTools
from tests.support.worlds.clock import Clock, FakePolling
from tests.support.worlds.pages import BEGAN
from workers.runner.errand_toolbox import NotSetUp

LADDER = ("Olga Nowak", "Ben Okoro", "Dmitri Banerjee")


class Killed(BaseException):
    """The worker died in the middle of a call."""


@dataclass
class PagerDutyWorld:
    """What PagerDuty knows. `fate` decides about each call: "down", "kill before", "kill after", or nothing.

    `unreadable` are open incidents whose JSON makes no value, each with why; `unlisted` are such that no list has.
    """

    clock: Any
    incidents: dict[str, Paged] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fate: Callable[[str], str | None] = lambda _call: None
    nobody: bool = False
    unreadable: dict[str, str] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    at_place: Callable[[str], None] = lambda _place: None

    def fork(self) -> PagerDutyWorld:
        """As it is in this instant, free to go another way."""
        held = {"incidents": dict(self.incidents), "pages": dict(self.pages), "calls": list(self.calls)}
        told = {id: list(said) for id, said in self.remarks.items()}
        return replace(self, clock=Clock(self.clock()), remarks=told, at_place=lambda _place: None, **held)

    def picture(self) -> dict[str, Any]:
        """All that a person could tell two worlds apart by; when it happened is left out."""
        shown = {
            id: (paged.title, paged.status, paged.level, paged.assignees, paged.key)
            for id, paged in self.incidents.items()
        }
        return {"incidents": shown, "pages": dict(self.pages), "notes": dict(self.remarks)}

    def opens(self, id: str = "PGR0VU2", minutes: float = 0, **more: Any) -> Paged:
        made = Paged(
            id=id,
            number=len(self.incidents) + 2,
            title=f"Alert {id}",
            status="triggered",
            urgency="high",
            service="PPOSTGR",
            service_name="Service PPOSTGR",
            url=f"https://acme.pagerduty.com/incidents/{id}",
            created_at=BEGAN,
            policy="PPOLICY",
            assignees=LADDER[:1],
            alerts=1,
        )
        self.incidents[id] = replace(made, **more)
        return self.incidents[id]

    def change(self, id: str, **changes: Any) -> None:
        self.incidents[id] = replace(self.incidents[id], **changes)

    def _does(self, call: str, effect: Callable[[], Any]) -> Any:
        self.calls.append(call)
        fate = self.fate(call)
        if fate == "down":
            raise Away("PagerDuty does not answer.", detail="timed out", hint="Nothing to do.")
        if fate == "no":
            raise RecoveryError("PagerDuty said no.", detail="403", hint="Look at the token.")
        if fate == "kill before":
            raise Killed
        done = effect()
        if fate == "kill after":
            raise Killed
        return done

    def _changes(self, call: str, effect: Callable[[], Any]) -> Any:
        """A call that changes something, unless it says that nothing moved; workers are killed before it and after."""

        def change() -> Any:
            self.at_place(f"before '{call}'")
            done = effect()
            self.changes += () if done is False else (call,)
            self.at_place(f"after '{call}'")
            return done

        return self._does(call, change)

    # REST ----------------------------------------------------------------------------------------

    def incident(self, id: str) -> Paged | None:
        def read() -> Paged | None:
            if broken := {**self.unreadable, **self.unlisted}.get(id):
                raise ValueError(broken)
            return self.incidents.get(id)

        return self._does(f"incident {id}", read)

    def updated_since(self, since: datetime, unread: Unread | None = None) -> Sequence[Paged]:
        def listed() -> list[Paged]:
            for id, why in self.unreadable.items():
                if unread is not None:
                    unread(id, why)
            known = [p for id, p in self.incidents.items() if id not in self.unreadable]
            wanted = [p for p in known if p.created_at >= since or p.status != "resolved"]
            return sorted(wanted, key=lambda p: p.created_at)

        return self._does("updated_since", listed)

    def acknowledge(self, id: str) -> None:
        self._changes(f"acknowledge {id}", lambda: self._moves(id, "acknowledged"))

    def resolve(self, id: str, resolution: str = "") -> None:
        self._changes(f"resolve {id}", lambda: self._moves(id, "resolved"))

    def _moves(self, id: str, status: str) -> bool:
        """What stands there already, and what is over, stays as it is; PagerDuty takes the call all the same."""
        moves = self.incidents[id].status not in (status, "resolved")
        if moves:
            self.change(id, status=status)
        return moves

    def escalate(self, id: str, level: int) -> None:
        self._changes(
            f"escalate {id} {level}",
            lambda: self.change(id, level=level, status="triggered", assignees=(LADDER[min(level, 3) - 1],)),
        )

    def call(self, key: str, title: str, contact: str, text: str = "") -> None:
        self._changes(f"call {key}", lambda: self._called(key, title, contact))

    def _called(self, key: str, title: str, contact: str) -> None:
        if not any(p.key == key and p.status != "resolved" for p in self.incidents.values()):
            made = {"title": title, "key": key, "created_at": self.clock(), "assignees": (contact,)}
            self.opens(f"Q{len(self.incidents)}", **made)

    def note(self, id: str, text: str) -> None:
        self._changes(f"note {id}", lambda: self.remarks.setdefault(id, []).append(text))

    def notes(self, id: str) -> Sequence[str]:
        return self._does(f"notes {id}", lambda: list(self.remarks.get(id, [])))

    def on_call(self, policies: Sequence[str] = ()) -> Sequence[OnCall]:
        people = [OnCall(f"PU{n}", name, f"u{n}@example.com", n + 1, "PPOLICY") for n, name in enumerate(LADDER)]
        return self._does("on_call", lambda: people)

    # Events --------------------------------------------------------------------------------------

    def trigger(
        self,
        key: str,
        summary: str,
        *,
        severity: str = "critical",
        details: Mapping[str, str] | None = None,
        link: str = "",
    ) -> None:
        self._changes(f"trigger {key}", lambda: self._triggered(key, summary))

    def _triggered(self, key: str, summary: str) -> None:
        open_ones = [p for p in self.incidents.values() if p.key == key and p.status != "resolved"]
        if not open_ones:
            whom = () if self.nobody else LADDER[:1]
            self.opens(f"Q{len(self.incidents)}", title=summary, key=key, created_at=self.clock(), assignees=whom)
        self.pages[key] = summary


class Paging:
    """The Events API of such a world."""

    def __init__(self, world: PagerDutyWorld) -> None:
        self.world = world
        self.trigger = world.trigger

    def resolve(self, key: str) -> None:
        def effect() -> None:
            self.world.pages.pop(key, None)
            for paged in list(self.world.incidents.values()):
                if paged.key == key:
                    self.world.change(paged.id, status="resolved")

        self.world._changes(f"take back {key}", effect)


@dataclass
class WorldErrands:
    """The toolbox of errands, in such a world."""

    world: PagerDutyWorld

    @contextmanager
    def open(self, run: Run) -> Iterator[ErrandTools]:
        page = NotSetUp("The status page", "statuspage.kind")
        yield ErrandTools(self.world, Paging(self.world), page, FakePolling(self.world.clock))
