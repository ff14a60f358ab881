"""The post-incident document as a value: everything that the journals of one incident and its runs tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actions.clock.times import span_rounded_up, span_words, spell
from actions.engine.break_glass import in_words
from actions.engine.errors import Refused
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.incidents import incident as incidents
from actions.incidents.alert import Alert
from actions.incidents.incident import Incident
from actions.incidents.objective_results import Promise, promises
from actions.incidents.open_questions import questions
from actions.incidents.public_posts import Post, posts
from actions.incidents.run_story import RunStory, retell
from actions.incidents.story_lines import StoryLine, who
from actions.stack.manual import MANUAL
from actions.stack.stack import Stack


@dataclass(frozen=True)
class AlertGroup:
    """Alerts of PagerDuty that say the same and stand alike: the first one's number and address, and how many."""

    title: str
    service: str
    status: str
    urgency: str
    since: datetime
    number: int
    url: str
    count: int


@dataclass(frozen=True)
class Version:
    """Which version of the document it is. `fresh` are the lines that the version before did not have.

    `given_at` is when it was put into the thread, None where it is only written on request so far; `before` is
    when the version before was, None for the first.
    """

    number: int
    given_at: datetime | None
    before: datetime | None = None
    fresh: tuple[StoryLine, ...] = ()


@dataclass(frozen=True)
class Document:
    """One incident and its runs, told from their journals. Runs alone make a document, too."""

    title: str
    id: str
    service: str
    severity: str
    began_at: datetime
    over_at: datetime | None
    roles: tuple[tuple[str, str], ...]
    alerts: tuple[AlertGroup, ...]
    runs: tuple[RunStory, ...]
    promises: tuple[Promise, ...]
    posts: tuple[Post, ...]
    timeline: tuple[StoryLine, ...]
    summary: tuple[str, ...]
    questions: tuple[str, ...]
    version: Version | None = None


def document(journals: Sequence[Sequence[Entry]], stack: Stack = MANUAL) -> Document:
    """The document of these journals: at most one incident's, its runs' and its errands'.

    What was promised for its services is for the stack to say.

    Raises:
        Refused: there is nothing to tell.
    """
    told = [journal for journal in journals if journal]
    opened = next((journal for journal in told if journal[0].kind is Kind.OPENED), None)
    asked = [journal for journal in told if journal[0].kind is Kind.REQUESTED]
    runs = tuple(sorted((retell(j) for j in asked if not is_errand(j[0].run)), key=lambda r: r.run.requested_at))
    if opened is None and not runs:
        raise Refused(
            "There is nothing to write a document of.", code="MD-INC-002", hint="Name an incident or a run: mayday runs"
        )
    incident = incidents.fold(opened) if opened else None
    errands = [retell(j) for j in asked if is_errand(j[0].run)]
    return _put_together(incident, opened or (), runs, errands, stack)


def _put_together(
    incident: Incident | None,
    opened: Sequence[Entry],
    runs: tuple[RunStory, ...],
    errands: Sequence[RunStory],
    stack: Stack,
) -> Document:
    service = incident.service if incident and incident.service else (runs[0].run.service if runs else "")
    began = incident.began_at if incident else runs[0].run.requested_at
    over = incident.over_at if incident else max((r.run.finished_at for r in runs if r.run.finished_at), default=None)
    lines = [*_told(opened), *(line for run in (*runs, *errands) for line in run.lines)]
    promised = tuple(promises(incident, runs, stack))
    return Document(
        title=incident.title if incident else f"{runs[0].run.procedure} of {service}",
        id=incident.id if incident else runs[0].run.id,
        service=service,
        severity=incident.severity if incident else "",
        began_at=began,
        over_at=over,
        roles=tuple((role, str(held["name"])) for role, held in sorted(incident.roles.items())) if incident else (),
        alerts=tuple(_alerts(incident)) if incident else (),
        runs=runs,
        promises=promised,
        posts=tuple(posts(errands)),
        timeline=tuple(sorted(lines, key=lambda line: line.at)),
        summary=tuple(_summary(incident, began, over, runs)),
        questions=tuple(questions(incident, runs, promised)),
    )


def _alerts(incident: Incident) -> Iterator[AlertGroup]:
    """In the order in which they began. A storm of the same alert is one row."""
    alike: dict[tuple[str, ...], list[Alert]] = {}
    for alert in sorted(incident.alerts.values(), key=lambda a: (a.paged.created_at, a.paged.id)):
        paged = alert.paged
        service = alert.service or paged.service_name
        alike.setdefault((paged.title, service, paged.status, paged.urgency), []).append(alert)
    for (title, service, status, urgency), alerts in alike.items():
        first, count = alerts[0].paged, sum(max(1, alert.paged.alerts) for alert in alerts)
        yield AlertGroup(title, service, status, urgency, first.created_at, first.number, first.url, count)


def _told(entries: Sequence[Entry]) -> Iterator[StoryLine]:
    """What an incident's own journal adds to the timeline. A storm is one line for each change of its state."""
    if not entries:
        return
    now = incidents.fold(entries[:1])
    yield StoryLine(entries[0].at, f"Opened by {_opener(entries[0].data)}: {incidents.fold(entries).title}", now.id)
    for entry in entries[1:]:
        before, now = now, incidents.after(now, entry)
        at, text = _change(entry, before, now)
        if text:
            yield StoryLine(at, text, now.id)


def _opener(data: dict[str, Any]) -> str:
    return "PagerDuty" if data.get("source") == "pagerduty" else who(data)


def _change(entry: Entry, before: Incident, now: Incident) -> tuple[datetime, str]:
    data = entry.data
    match entry.kind:
        case Kind.ALERTED:
            return entry.at, _stands(now) if now.state is not before.state else ""
        case Kind.GRADED:
            return entry.at, f"{who(data)} said: {data['severity']}"
        case Kind.ROLE:
            return entry.at, f"{data.get('user_name') or data['user']} is {data['role']}"
        case Kind.PINNED:
            return datetime.fromisoformat(data["at"]), f"{data.get('author') or who(data)}: {data['text']}"
        case Kind.NOTED:
            return entry.at, f"{data.get('by') or 'PagerDuty'} noted: {data.get('text') or ''}"
        case Kind.CLOSED:
            return entry.at, f"{who(data)} resolved the incident"
        case _:
            return entry.at, ""


def _stands(now: Incident) -> str:
    newest = max(now.alerts.values(), key=lambda alert: alert.newness)
    by = f" by {newest.by}" if newest.by else ""
    where = f" to {now.moved_to}" if now.moved_to else ""
    return f"PagerDuty: {now.state}{where}{by}" + (f", {now.count} alerts" if now.count > 1 else "")


def _summary(
    incident: Incident | None, began: datetime, over: datetime | None, runs: Sequence[RunStory]
) -> Iterator[str]:
    yield from (in_words(run.run.glass) for run in runs if run.run.glass)
    if incident is not None:
        length = f"It was over after {span_words(over - began)}." if over else "It is still open."
        alerts = f" {incident.count} alerts were folded into it." if incident.count > 1 else ""
        yield f"{incident.title}. It began at {spell(began.replace(microsecond=0))}. {length}{alerts}"
    for run in runs:
        took = f" after {span_words(timedelta(seconds=run.seconds))}" if run.seconds is not None else ""
        yield f"{run.name} asked for run {run.run.id}: {run.summary.rstrip('.')}. {run.state.capitalize()}{took}."
        if run.actual is not None and run.actual.rpo_seconds:
            given_up = span_rounded_up(timedelta(seconds=run.actual.rpo_seconds))
            bound = f"{run.actual.rpo_bound} " if run.actual.rpo_bound else ""
            yield f"The writes of {bound}{given_up} were given up by intention, to go back behind what was wrong."
        if run.standstill.seconds is not None:
            yield f"The writers were paused for {run.standstill.says()}."
        if run.verdicts:
            yield f"The last integrity check said: {run.verdicts[-1].text}"
