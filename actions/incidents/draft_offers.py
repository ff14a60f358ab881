"""Which draft for the status page is offered for an incident as it stands now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

from actions import catalog
from actions.clock.times import span_rounded_up
from actions.engine.errors import Refused
from actions.engine.procedure import Outcome, Procedure
from actions.engine.run import Run
from actions.engine.run_summary import reading_of
from actions.errands import status_page_publish
from actions.incidents.alert import AlertState
from actions.incidents.incident import Incident
from actions.incidents.open_errands import Errand
from actions.incidents.recovery_runs import is_recovery
from actions.incidents.statuspage_drafts import Kind, draft_for
from actions.settings.outside import StatusPageSettings
from actions.stack.manual import MANUAL
from actions.stack.stack import Stack, service_of
from actions.store.store import Store
from actions.tools.outside import Draft
from actions.watch.run_records import Bound, given_up

_WELL = (None, Outcome.RECOVERED, Outcome.DONE)


def newest_recovery(
    store: Store, incident: Incident, find: Callable[[str], Procedure | None] = catalog.known
) -> Run | None:
    """The newest recovery of an incident that began and was not given up.

    No look, verification or backup is one, and none is a run that was refused, discarded or taken back.
    """
    runs = [linked.run for linked in reversed(incident.runs) if is_recovery(find(linked.procedure))]
    return next((run for run in map(store.run, runs) if _counts(run)), None)


def _counts(run: Run) -> bool:
    """Whether it has changed anything, and that still holds."""
    return bool(run.began) and run.finished in _WELL


def kind_now(incident: Incident, run: Run | None) -> Kind:
    """What has happened last: the incident opened, a recovery began, ended, failed, or all is over."""
    if over(incident):
        return "resolved"
    if run is None or not _counts(run):
        return "opened"
    if run.finished is not None:
        return "finished"
    # That a person stopped it is no failure.
    return "failed" if run.failure is not None and not run.failure.stopped else "started"


def over(incident: Incident) -> bool:
    """Whether the problem is over, as people or PagerDuty say; what was moved or merged goes on somewhere else."""
    return incident.state is AlertState.RESOLVED


def offered(
    settings: StatusPageSettings,
    incident: Incident,
    run: Run | None,
    kind: Kind,
    stack: Stack = MANUAL,
    find: Callable[[str], Procedure | None] = catalog.known,
) -> Draft:
    """The draft of that kind. The stack says what the incident's service is, the run's procedure what is done to it."""
    service = service_of(stack, incident.service)
    graver = incident.severity or (incident.lead.paged.priority if incident.lead else "")
    recovering = run if kind in ("started", "finished", "failed") else None
    procedure = find(recovering.procedure) if recovering else None
    return draft_for(
        kind,
        incident=incident.id,
        service=incident.service,
        about=service.kind if service else "",
        summary=incident.title,
        severity=graver,
        target=_target(recovering),
        lost=_lost(recovering, procedure),
        components=settings.components,
        beside=sorted(incident.services - {incident.service}),
        notify=settings.notify,
        words=procedure.public if procedure else None,
    )


def edited(draft: Draft, title: str, text: str) -> Draft:
    """The draft in the words of whoever lets it out."""
    return replace(draft, title=title, text=text)


def kind_of(word: str) -> Kind:
    """A kind by its name.

    Raises:
        Refused: there is none of that name.
    """
    for kind in get_args(Kind):
        if kind == word:
            found: Kind = kind
            return found
    raise Refused(
        f"'{word[:40]}' is no kind of update.", code="MD-INC-004", hint=f"Choose one of: {', '.join(get_args(Kind))}."
    )


def to_publish(incident: Incident, draft: Draft) -> Errand:
    """Put that on the status page."""
    return Errand(status_page_publish.PROCEDURE, status_page_publish.Publish(incident.id, draft))


def _lost(run: Run | None, procedure: Procedure | None) -> str:
    """How much was given up, as customers read it; empty where that is not known (yet), and nothing is said of it."""
    seconds, bound = given_up(run, procedure) if run and run.finished is Outcome.RECOVERED else (None, Bound.AT_LEAST)
    if not seconds or bound is Bound.AT_LEAST:
        return ""
    return f"{bound} {span_rounded_up(timedelta(seconds=seconds))}".strip()


def _target(run: Run | None) -> datetime | None:
    """The moment that a recovery goes back to, where it goes back to one."""
    readings = (reading_of(fact) for fact in run.facts.values()) if run else ()
    target = next(filter(None, readings), None) or (run.request.get("target") if run else None)
    at = target.get("at") if isinstance(target, Mapping) else None
    return datetime.fromisoformat(at) if at else None
