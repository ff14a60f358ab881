"""The post-incident document as a value: everything that the journals of one incident and its runs tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actions.engine.errors import Refused
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.incidents import incident as incidents
from actions.incidents.incident import Alert, Incident
from actions.incidents.retelling import Line, Retold, retell, who
from actions.objectives import objective_of
from actions.postgres.times import span_words, spell

_PUBLISH = "status page publish"


@dataclass(frozen=True)
class Promise:
    """A promise and what came of it. `actual` is None where the journals do not tell."""

    what: str
    promised: timedelta
    actual: timedelta | None

    @property
    def verdict(self) -> str:
        """kept, missed, or not known."""
        return "not known" if self.actual is None else ("kept" if self.actual <= self.promised else "missed")


@dataclass(frozen=True)
class Post:
    """An update on the status page, as it was asked for; `url` is empty where it never stood there."""

    at: datetime
    who: str
    status: str
    text: str
    url: str


@dataclass(frozen=True)
class Version:
    """Which version of the document it is. `fresh` are the lines that the version before did not have.

    `given_at` is when it was put into the thread, None where it is only written on request so far; `before` is
    when the version before was, None for the first.
    """

    number: int
    given_at: datetime | None
    before: datetime | None = None
    fresh: tuple[Line, ...] = ()


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
    alerts: tuple[Alert, ...]
    runs: tuple[Retold, ...]
    promises: tuple[Promise, ...]
    posts: tuple[Post, ...]
    timeline: tuple[Line, ...]
    summary: tuple[str, ...]
    questions: tuple[str, ...]
    version: Version | None = None


def document(journals: Sequence[Sequence[Entry]]) -> Document:
    """The document of these journals: at most one incident's, its runs' and its errands'.

    Raises:
        Refused: there is nothing to tell.
    """
    told = [journal for journal in journals if journal]
    opened = next((journal for journal in told if journal[0].kind is Kind.OPENED), None)
    asked = [journal for journal in told if journal[0].kind is Kind.REQUESTED]
    runs = tuple(sorted((retell(j) for j in asked if not is_errand(j[0].run)), key=lambda r: r.run.requested_at))
    if opened is None and not runs:
        raise Refused("There is nothing to write a document of.", hint="Name an incident or a run: mayday runs")
    incident = incidents.fold(opened) if opened else None
    errands = [retell(j) for j in asked if is_errand(j[0].run)]
    return _put_together(incident, opened or (), runs, errands)


def _put_together(
    incident: Incident | None, opened: Sequence[Entry], runs: tuple[Retold, ...], errands: Sequence[Retold]
) -> Document:
    service = incident.service if incident and incident.service else (runs[0].run.service if runs else "")
    began = incident.began_at if incident else runs[0].run.requested_at
    over = incident.over_at if incident else max((r.run.finished_at for r in runs if r.run.finished_at), default=None)
    lines = [*_told(opened), *(line for run in (*runs, *errands) for line in run.lines)]
    promises = tuple(promise for run in runs for promise in _promises(run))
    posts = tuple(post for errand in errands for post in _posts(errand))
    return Document(
        title=incident.title if incident else f"{runs[0].run.procedure} of {service}",
        id=incident.id if incident else runs[0].run.id, service=service, severity=incident.severity if incident else "",
        began_at=began, over_at=over,
        roles=tuple((role, str(held["name"])) for role, held in sorted(incident.roles.items())) if incident else (),
        alerts=tuple(sorted(incident.alerts.values(), key=lambda a: a.paged.created_at)) if incident else (),
        runs=runs, promises=promises, posts=posts, timeline=tuple(sorted(lines, key=lambda line: line.at)),
        summary=tuple(_summary(incident, began, over, runs)), questions=tuple(_questions(incident, runs, promises)),
    )  # fmt: skip


def _told(entries: Sequence[Entry]) -> Iterator[Line]:
    """What an incident's own journal adds to the timeline. A storm is one line for each change of its state."""
    if not entries:
        return
    now = incidents.fold(entries[:1])
    yield Line(entries[0].at, f"Opened by {_opener(entries[0].data)}: {incidents.fold(entries).title}", now.id)
    for entry in entries[1:]:
        before, now = now, incidents.after(now, entry)
        at, text = _change(entry, before, now)
        if text:
            yield Line(at, text, now.id)


def _opener(data: dict[str, Any]) -> str:
    return "PagerDuty" if data.get("source") == "pagerduty" else who(data)


def _change(entry: Entry, before: Incident, now: Incident) -> tuple[datetime, str]:
    data = entry.data
    match entry.kind:
        case Kind.ALERTED:
            changed = now.state is not before.state or not before.alerts
            return entry.at, f"PagerDuty: {now.state}, {now.count} alerts" if changed else ""
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


def _promises(run: Retold) -> Iterator[Promise]:
    """Only what was recovered is measured against the promise for its service."""
    objective, actual = objective_of(run.run.service), run.actual
    if objective is None or actual is None:
        return
    lost = timedelta(seconds=actual.rpo_seconds) if actual.rpo_seconds is not None else None
    name, took = objective.name, timedelta(seconds=actual.rto_seconds)
    yield Promise(f"Recovery time of {name} ({run.run.id})", objective.rto, took)
    yield Promise(f"Writes given up in {name} ({run.run.id})", objective.rpo, lost)


def _posts(errand: Retold) -> Iterator[Post]:
    draft = errand.run.request.get("draft")
    if errand.run.procedure == _PUBLISH and isinstance(draft, dict):
        after = errand.run.facts.get("after") or {}
        yield Post(errand.run.requested_at, errand.name, str(draft.get("status") or ""), str(draft.get("text") or ""),
                   str(after.get("url") or ""))  # fmt: skip


def _summary(
    incident: Incident | None, began: datetime, over: datetime | None, runs: Sequence[Retold]
) -> Iterator[str]:
    if incident is not None:
        length = f"It was over after {span_words(over - began)}." if over else "It is still open."
        alerts = f" {incident.count} alerts were folded into it." if incident.count > 1 else ""
        yield f"{incident.title}. It began at {spell(began.replace(microsecond=0))}. {length}{alerts}"
    for run in runs:
        took = f" after {span_words(timedelta(seconds=run.seconds))}" if run.seconds is not None else ""
        yield f"{run.name} asked: {run.summary} ({run.run.id}). State: {run.state}{took}."
        if run.actual is not None and run.actual.rpo_seconds is not None:
            given_up = span_words(timedelta(seconds=run.actual.rpo_seconds))
            yield f"The writes of {given_up} were given up by intention, to go back behind what was wrong."
        if run.verdicts:
            yield f"The last integrity check said: {run.verdicts[-1].text}"


def _questions(incident: Incident | None, runs: Sequence[Retold], promises: Sequence[Promise]) -> Iterator[str]:
    """What the journals leave open. People add theirs."""
    if incident is not None and incident.open:
        yield "The incident is still open. What is left to do?"
    if incident is not None and not incident.roles:
        yield "Nobody took a role. Who led it?"
    for promise in promises:
        if promise.verdict == "missed":
            yield f"{promise.what} missed its promise of {span_words(promise.promised)}. What would have kept it?"
        elif promise.verdict == "not known":
            yield f"{promise.what} was not counted. How much is missing?"
    for run in runs:
        yield from _questions_of(run)
    yield "What caused it, and what would have shown it earlier?"


def _questions_of(run: Retold) -> Iterator[str]:
    if run.run.finished is None:
        yield f"Run {run.run.id} has not ended; it is {run.state}. What becomes of it?"
    for step in run.steps:
        if step.ended in ("failed", "could not be taken back"):
            yield f"'{step.title}' {step.ended} in run {run.run.id}: {step.said} Will it happen again?"
    for line in dict.fromkeys(line for verdict in run.verdicts for line in verdict.lines):
        yield f"Found in run {run.run.id}: {line}. Is it as it should be?"
