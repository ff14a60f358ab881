"""From what a person wants to a run: who may ask, what their words mean, who holds it already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from actions.control import requests
from actions.engine.errors import Busy, Refused
from actions.engine.journal import Kind
from actions.engine.lanes import Lane
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.engine.served import serves
from actions.stack.choose import chosen, site_named, untold
from actions.stack.clusters import asker_about
from actions.stack.stack import ServiceKind
from actions.store.notes import living_workers, post
from bot.commands.parse_command import ProcedureCommand
from bot.context import BotContext
from bot.incidents.thread_places import of_thread
from bot.slack.identity import known, link
from bot.slack.people import Person
from bot.who_may import who_may_approve, who_may_ask

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


def open_run(bot: BotContext, wants: ProcedureCommand, origin: Origin, person: Person, read: Any = None) -> Opened:
    """Write the request into a new journal; `read` is one that was read and looked at before.

    Raises:
        Refused: this person may not ask, it cannot be known which service is meant, or what they ask cannot be done.
        RecoveryError: the arguments were not understood.
        Busy: another run holds the service.
    """
    procedure = wants.procedure
    _may_ask(bot, person)
    if procedure.private:
        _may_see(bot, person)
    stack = bot.settings.stack()
    subject = chosen(stack, procedure.about, wants.service, wants.site, standby=procedure.standby)
    # Of another site's servers the settings of its own worker may tell.
    here = procedure.about == ServiceKind.POSTGRES and subject.site == bot.settings.site.name
    if here and bot.settings.server(subject.service, subject.site) is None:
        raise untold(subject.service)
    asker = asker_about(stack, subject, bot.clock(), bot.settings.operations_zone, person.zone)
    given = read if read is not None else procedure.words.read(wants.arguments, asker)
    request = _with_site(bot, procedure, given)
    came = _came(bot, origin)
    try:
        opened = requests.open_run(
            bot.store,
            procedure,
            request,
            by=person.speaker,
            subject=subject,
            origin=came,
            key=origin.key,
            beside=bot.settings.shared_writers(subject.service, subject.site),
        )
    except Busy as busy:
        raise held(bot, busy) from busy
    return Opened(opened.id, opened.new, opened.summary, has_worker(bot, subject.site, procedure.lane))


def _with_site(bot: BotContext, procedure: Procedure, request: Any) -> Any:
    """The request with its second site as the settings write it.

    Raises:
        Refused: there is no such site.
    """
    if not procedure.there:
        return request
    named = site_named(bot.settings.stack(), getattr(request, procedure.there))
    return replace(request, **{procedure.there: named.name})


def _came(bot: BotContext, origin: Origin) -> dict[str, str]:
    """Where a request came from, as its journal keeps it."""
    said = {"sink": origin.sink, "channel": origin.channel, "thread": origin.thread}
    incident = origin.incident or of_thread(bot.store, origin.channel, origin.thread)
    return {**said, "incident": incident} if incident else said


def has_worker(bot: BotContext, site: str = "", lane: Lane | None = None) -> bool:
    """Whether a worker lives that serves a site, or the default one; with a lane, that lane of it."""
    where = site or bot.settings.site.name
    return any(serves(worker, where, lane) for worker in living_workers(bot.store).values())


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
        code=busy.code,
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


def _may_see(bot: BotContext, person: Person) -> None:
    """Data itself is shown to those alone who may decide over it."""
    if person.speaker.may_approve:
        return
    names = who_may_approve(bot)
    raise person.speaker.lacks(
        Refused(
            f"{person.speaker.name} may not see rows of the data.",
            code="MD-CMD-066",
            detail="They are shown to who may approve.",
            hint=f"Ask one of these: {names}." if names else "The settings say who: approvers and approver_groups.",
        )
    )


def _may_ask(bot: BotContext, person: Person) -> None:
    if person.speaker.may_ask:
        return
    detail = f"This is {person.stranger}." if person.stranger else "Nobody has rights by being in the channel."
    names = who_may_ask(bot)
    ask = f"Ask one of these: {names}." if names else "Ask the person on call."
    hint = f"{ask} The settings say who may: operators and operator_groups."
    raise person.speaker.lacks(
        Refused(f"{person.speaker.name} may not ask for recoveries.", code="MD-CMD-005", detail=detail, hint=hint)
    )
