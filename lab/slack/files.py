"""Files: the two API calls, the place to upload to, and the place to read from."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lab.slack.calls import Call, file_json, with_block_ids
from lab.slack.chat import thread_of
from lab.slack.errors import SlackError
from lab.slack.messages import Json
from lab.slack.pictures import kind_of
from lab.slack.world import File, World


def get_upload_url(call: Call) -> Json:
    length = call.number("length", 0)
    if length < 1:
        raise SlackError("invalid_arguments", "length must be a positive number")
    file = File(f"F{secrets.token_hex(5).upper()}", call.need("filename"), length)
    call.world.files[file.id] = file
    return {"upload_url": f"{call.world.base_url}/upload/{file.id}", "file_id": file.id}


def complete_upload(call: Call) -> Json:
    wanted = call.items("files", "invalid_arguments") or []
    files = [_uploaded(call.world, entry) for entry in wanted]
    if not files:
        raise SlackError("invalid_arguments", "files is empty")
    if call.text("channel_id"):
        _share(call, files)
    return {"files": [file_json(call.world, file.id) for file in files]}


def _uploaded(world: World, entry: Json) -> File:
    file = world.files.get(str(entry.get("id")))
    if file is None or not file.content or file.shared:
        raise SlackError("file_not_found")
    file.title = str(entry.get("title") or file.name)
    file.shared, file.completed = True, world.clock()
    return file


def _share(call: Call, files: list[File]) -> None:
    channel = Call(call.world, call.method, {"channel": call.text("channel_id")}, "", 0.0).channel()
    blocks = with_block_ids(call.items("blocks", "invalid_blocks_format") or [])
    more = {"thread_ts": thread_of(call, channel.id), "files": [f.id for f in files]}
    call.world.post(call.world.bot_message(channel.id, call.text("initial_comment"), blocks, **more))


METHODS = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
}


def routes(world: World) -> list[Route]:
    async def upload(request: Request) -> Response:
        file = world.files.get(request.path_params["id"])
        content = await request.body()
        if world.faults.mode == "down":
            return PlainTextResponse("", 503)
        if file is None or len(content) != file.length:
            return PlainTextResponse("no such upload, or not the announced length", 400)
        file.content = content
        return PlainTextResponse(f"OK - {len(content)}")

    async def read(request: Request) -> Response:
        file = world.files.get(request.path_params["id"])
        if file is None:
            return PlainTextResponse("no such file", 404)
        # Whatever was uploaded, the browser of a practice user shows it as text or as an image and runs none of it.
        kind = kind_of(file.content) or "text/plain"
        return Response(file.content, media_type=kind, headers={"X-Content-Type-Options": "nosniff"})

    return [
        Route("/upload/{id}", upload, methods=["POST", "PUT"]),
        Route("/files/{id}/{name:path}", read),
    ]
