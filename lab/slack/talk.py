"""A practice user says something: a slash command, or a message."""

from __future__ import annotations

import re
import time

from lab.slack.company import User
from lab.slack.delivery import Delivery, Outcome
from lab.slack.errors import PracticeError
from lab.slack.hooks import post_answer
from lab.slack.messages import Json, Message
from lab.slack.payloads import app_mention, direct_message, reaction_added, slash_command
from lab.slack.waiting import Reaction, collect
from lab.slack.world import Hook, Trigger, World

LONGEST = 10.0
QUIET = 1.2
FAILURES = {
    "dispatch_failed": ("no bot is connected", "Start it with: mayday bot"),
    "operation_timeout": ("the bot did not acknowledge within 3 seconds", "Look at the bot's log, then try again"),
    "slack_is_down": ("the practice Slack is down", "Bring it back with: mayday lab fault slack off"),
}


def known_user(world: World, name: str) -> User:
    user = world.company.user(name)
    if user is None or user.is_bot:
        names = ", ".join(u.name for u in world.company.people)
        raise PracticeError("unknown_user", f"There is no practice user {name!r}.", f"Use one of: {names}")
    return user


async def say(world: World, delivery: Delivery, user: User, text: str, thread: str | None, channel: str) -> Json:
    if not text.strip():
        raise PracticeError("no_text", "There is nothing to say.")
    if world.faults.mode == "down":
        raise failure("slack_is_down")
    if text.startswith("/"):
        return await _command(world, delivery, user, text, thread)
    return await _message(world, delivery, user, text, thread, channel)


async def _command(world: World, delivery: Delivery, user: User, text: str, thread: str | None) -> Json:
    command, words = _split(text)
    _allow_command(world, command, thread)
    trigger = world.new_trigger(user.id)
    payload = slash_command(world, user, trigger, command, link_names(world, words, labelled=True))
    reaction = Reaction(world, user.id, trigger.id, keys=(trigger.id,))
    with world.feed.listen() as queue:
        began = time.perf_counter()
        outcome = await delivery.deliver("slash_commands", payload)
        acked_ms = round((time.perf_counter() - began) * 1000, 1)
        if not outcome.acked:
            raise failure(outcome.error, trigger_id=trigger.id)
        _answer_in_ack(world, trigger, payload, outcome)
        await collect(queue, reaction, LONGEST, quiet_for(world), lambda: reaction.has_run)
    return report(reaction) | {"trigger_id": trigger.id, "ts": None, "acked_ms": acked_ms}


async def _message(world: World, delivery: Delivery, user: User, text: str, thread: str | None, channel: str) -> Json:
    message = post_as(world, user, text, thread, channel)
    reaction = Reaction(world, user.id, "", keys=(f"{channel}:{message.ts}",), thread=message.root)
    place = world.company.channel(channel)
    direct = place is not None and place.is_direct
    if direct or f"<@{world.company.bot.id}>" in message.text:
        with world.feed.listen() as queue:
            delivery.announce(direct_message(world, message) if direct else app_mention(world, message))
            await collect(queue, reaction, LONGEST, quiet_for(world), lambda: reaction.has_run)
    return report(reaction) | {"ts": message.ts, "trigger_id": None}


def react(world: World, delivery: Delivery, user: User, message: Message, name: str) -> None:
    """Put a reaction on a message; the bot hears of it."""
    found = next((r for r in message.reactions if r["name"] == name), None)
    if found is None:
        message.reactions.append({"name": name, "users": [user.id], "count": 1})
    elif user.id in found["users"]:
        raise PracticeError("already_reacted", f"{user.name} has put :{name}: there already.")
    else:
        found["users"].append(user.id)
        found["count"] = len(found["users"])
    world.changed(message)
    delivery.announce(reaction_added(world, user, message, name))


def post_as(world: World, user: User, text: str, thread: str | None, channel: str) -> Message:
    place = world.company.channel(channel)
    if place is None or user.id not in place.members:
        raise PracticeError("not_in_channel", f"{user.name} is not in {channel}.")
    if thread and world.log.find(channel, thread) is None:
        raise PracticeError("no_such_thread", f"There is no thread {thread}.", "See: mayday lab thread")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    words = link_names(world, escaped, labelled=False)
    return world.post(Message(channel, world.log.next_ts(), user.id, words, thread_ts=thread))


def link_names(world: World, text: str, labelled: bool) -> str:
    """@name becomes a mention; commands carry the name beside the id, messages do not."""
    company = world.company
    links = {u.name: f"<@{u.id}|{u.name}>" if labelled else f"<@{u.id}>" for u in (*company.people, company.bot)}
    links |= {g.handle: f"<!subteam^{g.id}|@{g.handle}>" for g in company.groups}
    names = "|".join(sorted(links, key=len, reverse=True))
    return re.sub(rf"(?<!\w)@({names})\b", lambda m: links[m[1].lower()], text, flags=re.IGNORECASE)


def report(reaction: Reaction) -> Json:
    started = reaction.started
    return {
        "ok": True,
        "answers": [text_of(reaction.world, m) for m in reaction.answers],
        "replies": [text_of(reaction.world, m) for m in reaction.replies],
        "thread": started.root if started else None,
        "run": (started.payload.get("run") or None) if started else None,
    }


def text_of(world: World, message: Message) -> str:
    """A message as a person reads it, in plain words."""
    return "\n".join(world.plain.message(message))


def quiet_for(world: World) -> float:
    """How long a silence means that the bot has said all; a slow Slack needs more patience."""
    return QUIET + 1.5 * world.faults.delay


def failure(code: str, **fields: object) -> PracticeError:
    detail, hint = FAILURES.get(code.partition(":")[0], (code, "Look at the bot's log"))
    return PracticeError(code, detail, hint, **fields)


def _split(text: str) -> tuple[str, str]:
    command, *words = re.split(r"\s", text, maxsplit=1)
    return command, (words[0].strip() if words else "")


def _allow_command(world: World, command: str, thread: str | None) -> None:
    if command not in world.company.commands:
        known = ", ".join(world.company.commands)
        raise PracticeError("unknown_command", f"{command} is not a valid command.", f"Known here: {known}")
    if thread:
        detail = f"{command} is not supported in threads."
        raise PracticeError("slash_in_thread", detail, f"In a thread, say: @Mayday {command.lstrip('/')} …")


def _answer_in_ack(world: World, trigger: Trigger, payload: Json, outcome: Outcome) -> None:
    said = outcome.payload
    if isinstance(said, dict) and (said.get("text") or said.get("blocks")):
        hook = Hook("", trigger.user, payload["channel_id"], trigger.id, world.clock())
        post_answer(world, hook, said)
