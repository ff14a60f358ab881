"""response_url: what the bot answers later to a command or a click, and what it answers while acknowledging."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lab.slack.blocks import check_message
from lab.slack.calls import with_block_ids
from lab.slack.errors import SlackError
from lab.slack.messages import Json, Message
from lab.slack.pictures import check_pictures
from lab.slack.webapi import read_args
from lab.slack.world import Hook, World


def routes(world: World) -> list[Route]:
    async def answer(request: Request) -> Response:
        said = await read_args(request)
        await asyncio.sleep(world.faults.delay)
        if world.faults.mode == "down":
            return PlainTextResponse("", 503)
        try:
            post_answer(world, world.spend_hook(request.path_params["id"]), said)
        except SlackError as refusal:
            return JSONResponse(refusal.as_json(), 404 if refusal.code.endswith("_url") else 400)
        return PlainTextResponse("ok")

    return [Route("/hook/{id}", answer, methods=["POST"])]


def post_answer(world: World, hook: Hook, said: Json) -> Message | None:
    """Post, replace or delete, as the answer asks for."""
    if said.get("delete_original"):
        return _delete(world, hook)
    text, blocks = str(said.get("text") or ""), said.get("blocks") or []
    check_message(text, blocks)
    check_pictures(world, blocks, "invalid_blocks")
    if said.get("replace_original") and hook.origin:
        return _replace(world, hook.origin, text, blocks)
    return world.post(_compose(world, hook, said, text, blocks))


def _compose(world: World, hook: Hook, said: Json, text: str, blocks: list[Json]) -> Message:
    private = said.get("response_type", "ephemeral") != "in_channel"
    origin = hook.origin
    thread = said.get("thread_ts") or (origin.thread_ts if origin else None)
    more = {"only_for": hook.user if private else None, "via": hook.trigger, "thread_ts": thread}
    return world.bot_message(hook.channel, text, with_block_ids(blocks), **more)


def _replace(world: World, origin: Message, text: str, blocks: list[Json]) -> Message:
    origin.text, origin.blocks = text, with_block_ids(blocks)
    world.changed(origin)
    return origin


def _delete(world: World, hook: Hook) -> Message | None:
    if hook.origin and world.log.find(hook.origin.channel, hook.origin.ts):
        world.delete(hook.origin)
    return hook.origin
