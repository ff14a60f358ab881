"""The control API under /practice: what the command line and the page use to play a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lab.slack import press, talk
from lab.slack.company import User
from lab.slack.delivery import Delivery
from lab.slack.errors import NO_SUCH_BUTTON, PracticeError
from lab.slack.faults import MODES
from lab.slack.http_mode import HttpMode
from lab.slack.messages import Json, Message
from lab.slack.shown import Part, message_shown, parts_of, root_shown, view_shown
from lab.slack.sockets import Sockets
from lab.slack.world import OpenView, World


@dataclass(frozen=True)
class Room:
    """The practice room, wired."""

    world: World
    delivery: Delivery
    sockets: Sockets
    http: HttpMode


Handler = Callable[[Room, Json], Awaitable[Json]]


async def say(room: Room, asked: Json) -> Json:
    channel = asked.get("channel") or room.world.company.main_channel
    thread = find_thread(room.world, asked["thread"]) if asked.get("thread") else None
    return await talk.say(room.world, room.delivery, _user(room, asked), str(asked.get("text") or ""), thread, channel)


async def click(room: Room, asked: Json) -> Json:
    thread = find_thread(room.world, asked["thread"]) if asked.get("thread") else None
    label, typed = str(asked.get("label") or ""), asked.get("type")
    return await press.click(room.world, room.delivery, _user(room, asked), label, thread, typed)


async def react(room: Room, asked: Json) -> Json:
    """A reaction on one message of the main channel, by its ts."""
    channel = str(asked.get("channel") or room.world.company.main_channel)
    message = room.world.log.find(channel, str(asked.get("ts")))
    if message is None or message.only_for:
        raise PracticeError("no_such_message", f"There is no message {asked.get('ts')}.", "See: mayday lab thread")
    talk.react(room.world, room.delivery, _user(room, asked), message, str(asked.get("name") or "thumbsup"))
    return {"ok": True}


async def press_exactly(room: Room, asked: Json) -> Json:
    """The page knows which element was pressed; `chosen` is the option taken from a menu."""
    user, state = _user(room, asked), asked.get("state") or {}
    if asked.get("view_id"):
        view = _view(room.world, str(asked["view_id"]))
        part = _part(view.view.get("blocks") or [], asked, user)
        await press.press_in_view(room.world, room.delivery, user, view, part, asked.get("chosen"), state)
        return {"ok": True}
    message = room.world.log.find(str(asked.get("channel")), str(asked.get("ts")))
    if message is None or message.only_for not in (None, user.id):
        raise PracticeError(NO_SUCH_BUTTON, "The message is gone.")
    part = _part(message.blocks, asked, user)
    chosen = asked.get("chosen")
    reaction = await press.press(room.world, room.delivery, user, message, part, chosen, state, longest=0.0)
    return talk.report(reaction)


async def submit(room: Room, asked: Json) -> Json:
    view = _view(room.world, str(asked.get("view_id")))
    reaction = await press.submit(room.world, room.delivery, _user(room, asked), view, asked.get("values") or {})
    return talk.report(reaction)


async def close(room: Room, asked: Json) -> Json:
    await press.close(room.world, room.delivery, _user(room, asked), _view(room.world, str(asked.get("view_id"))))
    return {"ok": True}


async def fault(room: Room, asked: Json) -> Json:
    mode = asked.get("mode")
    if mode not in MODES:
        raise PracticeError("unknown_fault", f"There is no fault {mode!r}.", f"Use one of: {', '.join(MODES)}")
    room.world.faults.set(mode)
    if mode == "down":
        await room.sockets.cut()
    room.world.feed.tell("fault", mode)
    return {"ok": True, "mode": mode}


async def sockets(room: Room, asked: Json) -> Json:
    """Ask the bot's sockets to reconnect ("refresh"), or cut them ("cut")."""
    await (room.sockets.cut() if asked.get("action") == "cut" else room.sockets.refresh())
    return {"ok": True}


async def home(room: Room, asked: Json) -> Json:
    opened = await press.open_home(room.world, room.delivery, _user(room, asked))
    return {"ok": True, "view": view_shown(room.world, opened) if opened else None}


async def threads(room: Room, asked: Json) -> Json:
    channel = room.world.company.main_channel
    listed = [root_shown(room.world, channel, root) for root in room.world.log.roots(channel)]
    return {"ok": True, "threads": listed[::-1]}


async def thread(room: Room, asked: Json) -> Json:
    """One thread; `user` adds what only that person sees."""
    world, channel = room.world, room.world.company.main_channel
    root = find_thread(world, asked["ts"])
    viewer = world.company.user(str(asked.get("user") or ""))
    seen = world.log.seen_by(viewer.id if viewer else "", [channel])
    messages = [message_shown(world, m) for m in seen if m.root == root]
    first = world.log.find(channel, root)
    head = root_shown(world, channel, first) if first else {}
    return {"ok": True, "thread": root, **head, "messages": messages}


async def state(room: Room, asked: Json) -> Json:
    """Everything that the page shows to one person."""
    world, user = room.world, _user(room, asked)
    company = world.company
    mine = [c for c in company.channels if user.id in c.members]
    messages = [message_shown(world, m) for m in world.log.seen_by(user.id, [c.id for c in mine])]
    people = [
        {"id": u.id, "name": u.name, "real_name": u.real_name, "title": u.title, "tz": u.tz}
        for u in (*company.people, company.bot)
    ]
    return {
        "ok": True,
        "user": user.id,
        "bot": company.bot.id,
        "people": people,
        "messages": messages,
        "groups": [{"id": g.id, "handle": g.handle} for g in company.groups],
        "channels": [{"id": c.id, "name": c.name, "topic": c.topic, "is_direct": c.is_direct} for c in mine],
        "views": [view_shown(world, v) for v in world.views.values() if v.user == user.id],
        "home": view_shown(world, world.homes[user.id]) if user.id in world.homes else None,
        "fault": world.faults.mode,
        "sockets": room.sockets.count,
        "commands": list(company.commands),
    }


async def health(room: Room, asked: Json) -> Json:
    mode = room.world.faults.mode
    return {
        "ok": True,
        "sockets": room.sockets.count,
        "fault": mode,
        "request_url": room.http.request_url,
        **room.world.tally.as_json(),
    }


async def request_url(room: Room, asked: Json) -> Json:
    """Switch to HTTP mode, or back to Socket Mode with an empty url."""
    room.http.request_url = asked.get("url") or None
    return {"ok": True, "request_url": room.http.request_url}


POSTS: dict[str, Handler] = {
    "/say": say,
    "/react": react,
    "/click": click,
    "/press": press_exactly,
    "/submit": submit,
    "/close": close,
    "/fault": fault,
    "/sockets": sockets,
    "/home/{user}": home,
    "/request-url": request_url,
}
GETS: dict[str, Handler] = {"/threads": threads, "/thread/{ts}": thread, "/state": state, "/health": health}


def routes(room: Room) -> list[Route]:
    posts = [Route("/practice" + path, _endpoint(room, handler), methods=["POST"]) for path, handler in POSTS.items()]
    return posts + [Route("/practice" + path, _endpoint(room, handler)) for path, handler in GETS.items()]


def _endpoint(room: Room, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        if request.method == "POST" and "json" not in request.headers.get("content-type", ""):
            # A foreign web page can post plain forms to this machine, but not JSON.
            return JSONResponse({"ok": False, "error": "json_wanted", "detail": "Post JSON.", "hint": ""}, 415)
        try:
            body = await request.json() if request.method == "POST" and await request.body() else {}
            return JSONResponse(await handler(room, {**request.query_params, **body, **request.path_params}))
        except PracticeError as refusal:
            return JSONResponse(refusal.as_json(), 409)

    return handle


def find_thread(world: World, wanted: Any) -> str:
    """The root's ts of a thread: by any ts in it, by its run, or the newest that the bot is in."""
    channel = world.company.main_channel
    shared = world.log.shared(channel)
    if wanted == "newest":
        mine: list[Message] = [m for m in shared if m.bot_id]
        found = max((m.root for m in mine), default=shared[-1].root if shared else None)
    else:
        found = next((m.root for m in shared if wanted in (m.ts, m.payload.get("run"))), None)
    if found is None:
        raise PracticeError("no_such_thread", f"There is no thread {wanted}.", "See: mayday lab thread")
    return found


def _user(room: Room, asked: Json) -> User:
    return talk.known_user(room.world, str(asked.get("user") or "oncall"))


def _view(world: World, view_id: str) -> OpenView:
    homes = {v.id: v for v in world.homes.values()}
    found = world.views.get(view_id) or homes.get(view_id)
    if found is None:
        raise PracticeError("no_such_view", "This dialog is not open any more.")
    return found


def _part(blocks: list[Json], asked: Json, user: User) -> Part:
    wanted = (asked.get("block_id"), asked.get("action_id"))
    found = next((p for p in parts_of(blocks) if (p.block_id, p.action_id) == wanted), None)
    if found is None or not found.visible_to(user.id):
        raise PracticeError(NO_SUCH_BUTTON, "The message has changed since it was shown.")
    return found
