"""From what somebody wants to a run in the journal."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import Any

from actions.engine.errors import Busy, Refused
from actions.engine.facts import to_json
from actions.engine.ids import new_id
from actions.engine.journal import Kind
from actions.engine.notes import living_workers, post
from actions.engine.procedure import Asker, Procedure
from actions.engine.run import Run
from actions.engine.transaction import Draft
from bot.context import BotContext
from bot.incidents.thread_places import of_thread
from bot.parse_command import ProcedureCommand
from bot.slack.identity import known, link
from bot.slack.people import Person

NO_WORKER = "No worker is alive, so the run waits. Start one on the host that has Docker: mayday worker"


@dataclass(frozen=True)
class Origin:
    """Where and how somebody spoke: `sink` is "slack" or "terminal".

    `key` is the same for every delivery of the same words. `incident` is named where the thread does not tell it.
    """

    key: str
    user: str
    team: str
    channel: str
    thread: str = ""
    name: str = ""
    sink: str = "slack"
    incident: str = ""


@dataclass(frozen=True)
class Opened:
    """A run that was asked for; `new` is False for a redelivered request."""

    run: str
    new: bool
    summary: str
    worker: bool


def open_run(bot: BotContext, wants: ProcedureCommand, origin: Origin, person: Person) -> Opened:
    """Write the request into a new journal.

    Raises:
        Refused: this person may not ask, or what they ask cannot be done.
        RecoveryError: the arguments were not understood.
        Busy: another run holds the service.
    """
    _may_ask(person)
    procedure = wants.procedure
    service = bot.settings.site.postgres
    now = bot.clock()
    asker = Asker(now, bot.settings.operations_zone, person.zone, service)
    request = procedure.words.read(wants.arguments, asker)
    incident = origin.incident or of_thread(bot.store, origin.channel, origin.thread)
    data = _requested(bot, procedure, request, service, replace(origin, incident=incident), person)
    run = new_id(now)
    tells = _linked(incident, run, data)
    try:
        run, new = bot.store.open_run(
            run, data, claims=procedure.claims, key=origin.key, tells=tells, yields=procedure.yields
        )
    except Busy as busy:
        raise held(bot, busy) from busy
    return Opened(run, new, data["summary"], has_worker(bot))


def _requested(
    bot: BotContext, procedure: Procedure, request: Any, service: str, origin: Origin, person: Person
) -> dict[str, Any]:
    said = {"sink": origin.sink, "channel": origin.channel, "thread": origin.thread, "key": origin.key}
    if origin.incident:
        said["incident"] = origin.incident
    return {
        "procedure": procedure.name,
        "table": procedure.table,
        "service": service,
        "site": bot.settings.site.name,
        "by": person.speaker.id,
        "name": person.speaker.name,
        "request": to_json(request),
        "summary": summary(procedure, request, service),
        "origin": said,
    }


def _linked(incident: str, run: str, data: dict[str, Any]) -> tuple[str, Draft] | None:
    """What the incident's own journal tells of the run."""
    said = {"run": run, "procedure": data["procedure"], "by": data["by"], "name": data["name"]}
    return (incident, (Kind.LINKED, None, said)) if incident else None


def summary(procedure: Procedure, request: Any, service: str) -> str:
    """The procedure's own sentence, with what was asked in it."""
    asked = {f.name: _shown(getattr(request, f.name)) for f in dataclasses.fields(request)}
    return procedure.summary.format_map({"service": service, **asked})


def _shown(value: Any) -> str:
    """A field of a request as people read it: by its own `__str__`, else its own text."""
    return str(value if "__str__" in vars(type(value)) else getattr(value, "text", value))


def has_worker(bot: BotContext) -> bool:
    """Whether a worker lives that serves our site."""
    return any(serves(worker, bot.settings.site.name) for worker in living_workers(bot.store).values())


def serves(worker: dict[str, Any], site: str) -> bool:
    """Whether a worker, as it noted itself, carries out runs of that site."""
    return site in worker.get("sites", [worker.get("site", site)])


def held(bot: BotContext, busy: Busy) -> Busy:
    """The refusal, with who holds the service and where to follow them."""
    told = bot.store.entries(busy.run)
    if not told or told[0].kind is not Kind.REQUESTED:
        return busy
    first = told[0].data
    where = thread_link(bot, bot.store.run(busy.run))
    follow = f"Follow it in its thread{f': {where}' if where else ''}, or stop or undo it there first."
    return Busy(
        f"{busy.what or first['service']} is held by run {busy.run} ({first['procedure']}).",
        run=busy.run,
        what=busy.what,
        detail=f"{first['name']} asked for it {told[0].at:%H:%M} UTC. {busy.detail}",
        hint=follow,
    )


def thread_link(bot: BotContext, run: Run) -> str:
    """The address of a run's header in Slack, empty until it is posted."""
    header = post(bot.store, header_key(run)) or {}
    return link(known(bot.store), str(header.get("channel") or ""), str(header.get("ts") or ""))


def header_key(run: Run) -> str:
    """The key under which a run's header is kept and found again in Slack."""
    return str(run.origin.get("key") or f"{run.id}:1")


def _may_ask(person: Person) -> None:
    if person.speaker.may_ask:
        return
    detail = f"This is {person.stranger}." if person.stranger else "Nobody has rights by being in the channel."
    hint = "Ask the person on call. The settings say who may: operators and operator_groups."
    raise person.speaker.lacks(Refused(f"{person.speaker.name} may not ask for recoveries.", detail=detail, hint=hint))
