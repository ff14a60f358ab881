"""Which draft for the status page is offered for an incident as it stands now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import get_args

from actions import catalog
from actions.engine.errors import Refused
from actions.engine.procedure import Outcome, Procedure
from actions.engine.run import Run
from actions.engine.run_summary import reading_of
from actions.errands import status_page_publish
from actions.incidents.incident import Incident
from actions.incidents.open_errands import Errand
from actions.incidents.recovery_runs import is_recovery
from actions.incidents.statuspage_drafts import Kind, draft_for
from actions.settings.outside import StatusPageSettings
from actions.stack.manual import MANUAL
from actions.stack.stack import Stack, service_of
from actions.store.store import Store
from actions.tools.outside import Draft

_ENDS: dict[Outcome, Kind] = {Outcome.RECOVERED: "finished", Outcome.DONE: "finished"}


def newest_recovery(
    store: Store, incident: Incident, find: Callable[[str], Procedure | None] = catalog.known
) -> Run | None:
    """The newest recovery of an incident; no look, verification or backup is one."""
    runs = [linked.run for linked in incident.runs if is_recovery(find(linked.procedure))]
    return store.run(runs[-1]) if runs else None


def kind_now(incident: Incident, run: Run | None) -> Kind:
    """What has happened last: the incident opened, a recovery began, ended, failed, or all is over."""
    if not incident.open:
        return "resolved"
    if run is None or (run.started_at is None and run.finished is None and run.failure is None):
        return "opened"
    if run.failure is not None:
        return "failed"
    return "started" if run.finished is None else _ENDS.get(run.finished, "opened")


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


def _target(run: Run | None) -> datetime | None:
    """The moment that a recovery goes back to, where it goes back to one."""
    readings = (reading_of(fact) for fact in run.facts.values()) if run else ()
    target = next(filter(None, readings), None) or (run.request.get("target") if run else None)
    at = target.get("at") if isinstance(target, Mapping) else None
    return datetime.fromisoformat(at) if at else None
