"""A run as its journal tells it: folded from the entries, never stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actions.engine.children import Children
from actions.engine.claims import Claim
from actions.engine.items import Items
from actions.engine.procedure import Outcome, Procedure
from actions.engine.run_parts import Agreement, Failure, Question

SYSTEM = "mayday"
"""Asks in nobody's name: what Mayday proposes by itself still needs as many people."""


@dataclass(frozen=True)
class Run:
    """The state of one run. `facts` are JSON by name; `done` and `began` are positions in the table.

    `glass` says that whoever asked went on alone, with their reason, where the run stands on such an answer. `agreed`
    is, by question, who answered so that the run goes on; `missed` are sentences about spare acts that failed; `items`
    are those of the loops that began, by their positions; `words` are the procedure's own for how it ended.
    """

    id: str
    procedure: str
    table: str
    service: str
    site: str
    requester: str
    request: dict[str, Any]
    origin: dict[str, Any]
    requested_at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    done: frozenset[int] = frozenset()
    began: tuple[int, ...] = ()
    open_step: int | None = None
    question: Question | None = None
    answered: dict[str, Any] | None = None
    recheck: int | None = None
    failure: Failure | None = None
    stop_asked: str = ""
    undoing: Outcome | None = None
    undone: frozenset[int] = frozenset()
    again: dict[str, Any] | None = None
    finished: Outcome | None = None
    finished_at: datetime | None = None
    last: int = 0
    started_at: datetime | None = None
    glass: dict[str, Any] | None = None
    agreed: dict[int, Agreement] = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    items: dict[int, Items] = field(default_factory=dict)
    words: str = ""
    children: Children = Children()

    @property
    def parent(self) -> str:
        """The run that opened this one; empty where none did."""
        return str(self.origin.get("parent") or "")

    @property
    def lenders(self) -> tuple[str, ...]:
        """The runs that lend this one what they claim: its parent and the parents of that, the oldest first."""
        return tuple(str(self.origin.get("lenders") or "").split())

    def claims(self, procedure: Procedure) -> tuple[Claim, ...]:
        """What it claims as a run of that procedure."""
        return procedure.claims_for(self.id, self.site, self.service, self.lenders)

    @property
    def asking(self) -> bool:
        """Whether a question is open."""
        return self.question is not None and self.answered is None

    @property
    def people(self) -> frozenset[str]:
        """The distinct people who want this run: who asked, and who agreed to what it stands on."""
        return frozenset({self.requester, *(one.by for one in self.agreed.values())} - {SYSTEM})
