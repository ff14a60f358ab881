"""How each journal looks in Slack: an incident has a thread, a run as much as its first entry says (`Shown`).

A run that needs people has a thread whatever that says. Its header is the line that stood there before, under one key.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from actions.engine.folding import fold
from actions.engine.journal import Entry, Kind
from actions.engine.needs_people import is_unseen, needs_people
from actions.engine.run import Run
from actions.engine.shown import Shown, shown_of
from actions.incidents.document_versions import editions
from actions.store import notes
from bot.context import BotContext
from bot.incidents import document_files
from bot.incidents.incident_scene import scene_of
from bot.incidents.incident_thread import ThreadStory
from bot.incidents.incident_thread import story as story_of
from bot.incidents.thread_places import header_key
from bot.runs.requests import header_key as header_of
from bot.slack import private_refusal, run_line
from bot.slack.approval_requests import untold
from bot.slack.held_threads import is_held, is_overdue, is_private
from bot.slack.outbox import ThreadPlace
from bot.slack.run_thread import story
from bot.slack.thread_item import ThreadItem
from bot.slack.watched_journals import SINK, Watched
from bot.views.run_header import HeaderData

AT_WORK = timedelta(seconds=1)
AT_REST = timedelta(seconds=5)
MOVED = "thread removed"
"""Notes of the journals whose thread somebody removed; they go on in one of their own."""


def draw(bot: BotContext, watched: Watched, now: datetime, alive: bool) -> list[ThreadItem]:
    """All messages of a journal's thread as they should look now; notes what the thread writer wants to know of it."""
    if watched.entries[0].kind is Kind.OPENED:
        return _incident(bot, watched, now)
    run = fold(watched.entries)
    watched.ended = run.finished is not None
    watched.at_work = run.open_step is not None and run.failure is None and not watched.ended
    watched.progress = notes.progress(bot.store, run.id) if watched.at_work else None
    seen = HeaderData(
        bot.procedure(run.procedure),
        run,
        watched.entries,
        now,
        watched.progress,
        alive or run.asking,
        approvers(bot, run),
        untold(bot.store, run) if run.asking else 0,
    )
    watched.private = watched.unseen = watched.held = False
    if _waits_or_private(bot, seen, watched, alive):
        return []
    return _as_shown(bot, seen, watched)


def approvers(bot: BotContext, run: Run) -> tuple[str, ...]:
    """The groups and people to mention where a second person is waited for; not whoever asked."""
    people = bot.settings.people
    return (*people.approver_groups, *(user for user in people.approvers if user != run.requester))


def _waits_or_private(bot: BotContext, seen: HeaderData, watched: Watched, alive: bool) -> bool:
    """Whether nothing stands in Slack, as its moment is not found yet, or could not be and the asker alone is told."""
    if notes.post(bot.store, header_of(seen.run)) or private_refusal.is_aloud(bot, seen.run.id):
        return False
    if is_private(watched.entries):
        watched.unseen = private_refusal.was_told(bot.store, seen.run.id)
        watched.private = not watched.unseen
        return True
    watched.held = is_held(watched.entries, seen.procedure, seen.now, alive) and not _is_left(bot, seen)
    watched.unseen = watched.held
    return watched.held


def _is_left(bot: BotContext, seen: HeaderData) -> bool:
    """Whether workers live and none of them carries the run out."""
    return is_overdue(seen.entries, seen.now) and seen.run.id not in bot.store.leased()


def _as_shown(bot: BotContext, seen: HeaderData, watched: Watched) -> list[ThreadItem]:
    first = watched.entries[0]
    shown, news = shown_of(first), needs_people(watched.entries, seen.procedure)
    watched.unseen = shown is Shown.ON_TROUBLE and not news
    if shown is Shown.LINE:
        alone, asked = _alone(bot, first), any(entry.kind is Kind.ASKED for entry in watched.entries)
        return story(seen) if news and (alone or asked) else [run_line.item(seen, alone=alone)]
    return [] if watched.unseen else story(seen)


def _alone(bot: BotContext, first: Entry) -> bool:
    """Whether it stands in no other's thread. There a line tells its trouble itself: a thread has no threads."""
    place = place_of(bot, first)
    return place is not None and not place.thread


def _incident(bot: BotContext, watched: Watched, now: datetime) -> list[ThreadItem]:
    telling, stack = watched.telling or ThreadStory(), bot.settings.stack()
    watched.telling, incident = telling, telling.hear(watched.entries)
    # While a document is still to come the cursor stays, so that a bot that is started anew comes back to it.
    watched.owes = document_files.look_after(bot.store, incident, watched.entries, telling.over, now, stack)
    watched.ended = not incident.open and not watched.owes
    for edition in editions(watched.entries):
        if edition.n not in telling.files:
            telling.files[edition.n] = document_files.items(bot.store, incident.id, edition, stack)
    return story_of(scene_of(bot, incident, now), telling)


def place_of(bot: BotContext, first: Entry) -> ThreadPlace | None:
    """Where a journal's thread is; None while the run or incident that it belongs to has no thread yet.

    In the thread where it was asked for, else in the thread of its run, else in the thread of its incident, else a
    new thread in the channel of the settings.
    """
    origin = first.data.get("origin") or {}
    thread = str(origin.get("thread") or "") if origin.get("sink") == SINK else ""
    if thread and bot.store.note(MOVED, first.run) is None:
        return ThreadPlace(str(origin.get("channel") or bot.settings.slack.channel), thread)
    if origin.get("run"):
        return _place_by_run(bot, str(origin["run"]))
    if origin.get("incident"):
        return incident_place(bot, str(origin["incident"]))
    return ThreadPlace(bot.settings.slack.channel, "")


def _place_by_run(bot: BotContext, name: str) -> ThreadPlace | None:
    """The thread of a run. Where it has none and may never have, as nobody needs to see it, the channel."""
    entries = bot.store.entries(name)
    run = fold(entries)
    place = _header_place(bot, header_of(run))
    if place is None and is_unseen(entries, bot.procedure(run.procedure)):
        return ThreadPlace(bot.settings.slack.channel, "")
    return place


def incident_place(bot: BotContext, incident: str) -> ThreadPlace | None:
    """Where an incident's thread is, None until its header stands."""
    return _header_place(bot, header_key(incident))


def _header_place(bot: BotContext, key: str) -> ThreadPlace | None:
    header = notes.post(bot.store, key) or {}
    return ThreadPlace(str(header["channel"]), str(header.get("thread") or header["ts"])) if header.get("ts") else None
