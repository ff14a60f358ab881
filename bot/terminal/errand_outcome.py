"""What was said to an incident, in a terminal: the answer, and who carries its errands out."""

from __future__ import annotations

import html
import uuid

import typer

from actions.chores.leader_lease import LeaderLease
from actions.engine.status import state_of
from actions.incidents.alert_grouping import rules_of
from actions.incidents.take_in_events import take_in
from bot.incidents.event_intake import INTAKE
from bot.incidents.incident_commands import IncidentReply
from bot.terminal.carry_on import How, moved
from bot.terminal.follow_run import Code
from bot.terminal.records import show_json
from bot.terminal.session import Session


def done(session: Session, said: IncidentReply, how: How) -> None:
    """Say it, and see to its errands: without a worker alive they are carried out here. Ends with their exit code."""
    text = html.unescape(said.text).replace("`", "")
    if not session.as_json:
        (session.tell if said.errands else session.out.print)(text)
    if not how.foreground:
        session.bot.wake_worker(*said.errands)
    codes = [moved(session, errand, how) for errand in said.errands]
    _take_in(session)
    if session.as_json:
        show_json(_document(session, text, said))
    raise typer.Exit(int(next((code for code in codes if code is not Code.GOOD), Code.GOOD)))


def _take_in(session: Session) -> None:
    """Turn what PagerDuty said meanwhile into journals, where no bot lives that does."""
    leader = LeaderLease(session.store, INTAKE, f"terminal {uuid.uuid4().hex[:8]}")
    if leader.mine():
        take_in(session.store, rules_of(session.settings))
        leader.give_up()


def _document(session: Session, text: str, said: IncidentReply) -> dict[str, object]:
    runs = [session.store.run(errand) for errand in said.errands]
    waits = said.waits if any(run.finished is None for run in runs) else ""
    states = [{"errand": run.id, "what": run.procedure, "state": str(state_of(run))} for run in runs]
    first = {"errand": runs[0].id, "state": states[0]["state"]} if runs else {"errand": ""}
    return {"answer": "\n".join(filter(None, (text, waits))), "incident": said.incident, **first, "errands": states}
