"""The failover that Mayday itself asks for when a primary is lost: it waits in the incident's thread for a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from actions.control import answers
from actions.control.requests import Subject, open_run
from actions.engine.errors import Busy, RecoveryError, Refused
from actions.engine.procedure import OptionEffect, Procedure
from actions.incidents.incident_actions import remark
from actions.incidents.open_errands import ITSELF
from actions.stack.clusters import asker_about
from actions.stack.stack import Stack
from actions.store.store import Store
from actions.watch.replication_health import ClusterVerdict

FAILOVER = "postgres failover"
BUTTON = "button"
"""The trigger of the settings with which a failover is asked for."""


@dataclass
class OfferedFailover:
    """Asks for failovers and takes back those that nobody needs any more; `beside` is as of `open_run`."""

    store: Store
    stack: Stack
    catalog: Sequence[Procedure]
    operations_zone: str = "UTC"
    trigger: str = BUTTON
    enqueue: Callable[[str], object] = lambda run: None
    beside: Callable[[str, str], Sequence[str]] = lambda service, site: ()

    def offer(self, verdict: ClusterVerdict, incident: str) -> bool:
        """Ask for it once for each incident; whether nothing is left to do."""
        procedure = next((one for one in self.catalog if one.name == FAILOVER), None)
        standby = verdict.standby
        if procedure is None or standby is None or self.trigger != BUTTON:
            return True
        asker = asker_about(self.stack, standby, self.store.clock(), self.operations_zone, None)
        if (asker.follows, asker.follows_at) != (verdict.primary.service, verdict.primary.site):
            said = f"the settings say that {standby.service} follows another server. Correct `follows`."
            self._say(incident, f"No failover is offered: {said}", "not offered")
            return True
        try:
            self._ask(procedure, procedure.words.read("", asker), standby, incident)
        except Busy as busy:
            said = f"{busy.said} A failover is asked for once that run has ended."
            self._say(incident, said, f"held by {busy.run}")
            return False
        except RecoveryError as refused:
            self._say(incident, f"No failover could be asked for. {refused.words(' ')}", "refused")
        return True

    def withdraw(self, incident: str) -> None:
        """End what was asked for, if nobody has agreed to it: while it waits, it holds both servers."""
        run = str(self.store.note("inbox", _key(incident)) or "")
        if not run:
            return
        state = self.store.run(run)
        if not state.asking or state.question is None or state.began or state.people:
            return
        back = next((one["label"] for one in state.question.options if one["leads"] == OptionEffect.BACK), "")
        try:
            answers.answer(self.store, run, state.question.n, back, ITSELF, key=f"withdrawn {run}")
        except Refused:  # Somebody has answered it just now.
            return
        self.enqueue(run)

    def _ask(self, procedure: Procedure, request: Any, standby: Subject, incident: str) -> None:
        opened = open_run(
            self.store,
            procedure,
            request,
            by=ITSELF,
            subject=standby,
            origin={"sink": "watch", "incident": incident},
            key=_key(incident),
            beside=self.beside(standby.service, standby.site),
        )
        if opened.new:
            self.enqueue(opened.id)

    def _say(self, incident: str, text: str, key: str) -> None:
        remark(self.store, incident, text, key=f"failover of {incident} {key}")


def _key(incident: str) -> str:
    return f"failover of {incident}"
