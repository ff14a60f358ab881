"""An incident as a terminal shows it: its header's words, its runs, what can be typed next. And as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from actions.engine.run import Run
from actions.engine.status import rests, state_of
from actions.incidents.incident import Incident
from bot.commands.parse_command import command_of
from bot.incidents.incident_scene import fits_of, scene_of
from bot.incidents.thread_places import thread_link
from bot.runs.requests import has_worker
from bot.terminal.follow_run import next_word
from bot.terminal.records import aligned
from bot.terminal.session import Session
from bot.views import incident_words as words
from bot.views.incident_words import Scene

_RECOVERIES = 3
_TYPED = {
    "acknowledge": ("mayday incident acknowledge {id}", "tell PagerDuty that you have it"),
    "role": ("mayday incident role {id} ROLE [USER]", "take a role, or give it to somebody"),
    "status": ("mayday status-page publish {id}", "read the update for the public, and let it out"),
    "escalate": ("mayday incident escalate {id}", "have PagerDuty page the next level"),
    "resolve": ("mayday incident resolve {id}", "it is over, here and in PagerDuty"),
}
"""By the names of the actions, as `possible` gives them. Recoveries are offered one by one."""


def told(session: Session, incident: Incident) -> None:
    """Show it to a person."""
    scene, out = _scene(session, incident), session.out
    out.print(Text(incident.title or "Incident", style="bold"))
    out.print(f"{words.state(incident)} · {words.clock(incident, scene.now, scene.promised)}", markup=False)
    aligned(out, _rows(session, scene))
    for line in filter(None, (words.whose_word(scene), words.others(incident), *_seen(session, incident))):
        out.print(line, markup=False)
    runs = _runs(session, incident)
    if runs:
        out.print()
        out.print(_run_table(incident, runs))
    out.print(Text("\nWhat can be typed next", style="bold"))
    aligned(out, _next(session, scene))
    for line in filter(None, (_waiting(session, run) for run in runs)):
        out.print(line, markup=False)


def document(session: Session, incident: Incident) -> dict[str, Any]:
    """The same as one JSON document."""
    scene = _scene(session, incident)
    by = {linked.run: linked.name for linked in incident.runs}
    return {
        "incident": incident.id,
        "title": incident.title,
        "service": incident.service,
        "services": sorted(incident.services),
        "state": incident.state,
        "said": words.state(incident),
        "severity": incident.severity,
        "urgency": words.urgency(incident),
        "priority": incident.lead.paged.priority if incident.lead else "",
        **_times(scene),
        **_people(scene),
        "alerts": incident.count if incident.alerts else 0,
        "open_alerts": len(incident.open_alerts),
        "pagerduty": words.page(incident)[1],
        "thread": thread_link(session.store, incident.id),
        "runs": [
            {
                "run": run.id,
                "what": run.procedure,
                "service": run.service,
                "state": state_of(run),
                "by": by[run.id],
                "requested_at": run.requested_at,
            }
            for run in _runs(session, incident)
        ],
        "seen": _seen(session, incident),
        "next": [{"command": command, "does": does} for command, does in _next(session, scene)],
    }


def _times(scene: Scene) -> dict[str, Any]:
    incident = scene.incident
    return {
        "began_at": incident.began_at,
        "over_at": incident.over_at,
        "clock": words.clock(incident, scene.now, scene.promised),
        "seconds": words.lasted(incident, scene.now).total_seconds(),
        "rto_seconds": scene.promised.rto.total_seconds() if scene.promised else None,
    }


def _people(scene: Scene) -> dict[str, Any]:
    duty = scene.duty
    return {
        "held_by": scene.incident.holders,
        "roles": scene.incident.roles,
        "on_call": duty.first,
        "backup": duty.backup,
        "on_call_from": duty.source or ("PagerDuty" if duty.first else ""),
    }


def _scene(session: Session, incident: Incident) -> Scene:
    return scene_of(session.bot, incident, session.store.clock())


def _rows(session: Session, scene: Scene) -> Iterator[tuple[str, str]]:
    incident, thread = scene.incident, thread_link(session.store, scene.incident.id)
    yield from words.facts(scene)
    yield from ((role.capitalize(), who["name"]) for role, who in incident.roles.items())
    yield "Incident", incident.id
    rows = (("Alerts", words.folded(incident)), words.page(incident), ("Thread", thread))
    yield from (row for row in rows if row[1])


def _seen(session: Session, incident: Incident) -> list[str]:
    """What a quick look at the stack shows."""
    return fits_of(session.bot, incident)[1]


def _runs(session: Session, incident: Incident) -> list[Run]:
    """Its runs and errands, in the order in which they were asked for."""
    return [session.store.run(linked.run) for linked in incident.runs]


def _run_table(incident: Incident, runs: list[Run]) -> Table:
    by = {linked.run: linked.name for linked in incident.runs}
    table = Table("run", "what", "state", "by", "asked at (UTC)", box=None, pad_edge=False)
    for run in runs:
        cells = (run.id, run.procedure, str(state_of(run)), by[run.id], f"{run.requested_at:%H:%M:%S}")
        table.add_row(*map(Text, cells))
    return table


def _waiting(session: Session, run: Run) -> str:
    """What a run waits for, and what is typed about it; nothing where it goes on by itself or has ended."""
    if run.finished is not None:
        return ""
    if rests(run):
        return next_word(run)
    return "" if has_worker(session.bot) else f"Run {run.id} waits for a worker: mayday carry-out {run.id}"


def _next(session: Session, scene: Scene) -> list[tuple[str, str]]:
    """The commands that fit now, with what each of them does."""
    incident, made = scene.incident, list[tuple[str, str]]()
    for action in words.possible(scene):
        if action == "recover":
            made += _recoveries(session, incident)
        else:
            command, does = _TYPED[action]
            made.append((command.format(id=incident.id), does))
    made += [(f"mayday show {run.run} --follow", "how that goes on") for run in incident.runs[-1:]]
    made.append((f"mayday incident timeline {incident.id}", "what happened so far, in UTC"))
    if not incident.open:
        made.append((f"mayday incident export {incident.id}", "write the post-incident document"))
    return made


def _recoveries(session: Session, incident: Incident) -> Iterator[tuple[str, str]]:
    """The recoveries for which something speaks; where nothing does, where all of them stand."""
    fits = [fit for fit in fits_of(session.bot, incident)[0] if fit.weight][:_RECOVERIES]
    for fit in fits:
        usage = f"{command_of(fit.procedure)} {fit.procedure.words.usage}".strip()
        yield f"mayday {usage} --incident {incident.id}", fit.why or f"for {incident.service}"
    if not fits:
        yield f"mayday recover WORDS --incident {incident.id}", "recover; mayday recover help says what there is"
