"""The chat.* methods: the app posts, edits and deletes its messages."""

from __future__ import annotations

from lab.slack.blocks import check_message
from lab.slack.calls import Call, message_json, with_block_ids
from lab.slack.errors import SlackError
from lab.slack.messages import Json, Message
from lab.slack.pictures import check_pictures


def post_message(call: Call) -> Json:
    message = _compose(call)
    call.world.post(message)
    return {"channel": message.channel, "ts": message.ts, "message": message_json(call.world, message)}


def post_ephemeral(call: Call) -> Json:
    user = call.user()
    message = _compose(call)
    channel = call.channel()
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    message.only_for = user.id
    call.world.post(message)
    return {"message_ts": message.ts}


def update(call: Call) -> Json:
    message = _own(call, "cant_update_message")
    blocks = call.items("blocks", "invalid_blocks_format")
    text = call.args.get("text")
    # A new text without blocks replaces the old blocks; no text leaves them as they were.
    fresh = blocks if blocks is not None else ([] if text is not None else message.blocks)
    check_message(str(text) if text is not None else message.text, fresh)
    check_pictures(call.world, fresh, "invalid_blocks")
    message.text = str(text) if text is not None else message.text
    message.blocks = with_block_ids(fresh)
    message.metadata = _metadata(call) or message.metadata
    message.edited = None if blocks else call.world.log.next_ts()
    call.world.changed(message)
    shown = message_json(call.world, message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def delete(call: Call) -> Json:
    message = _own(call, "cant_delete_message")
    call.world.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def _compose(call: Call) -> Message:
    channel = call.channel()
    text = call.text("text")
    blocks = call.items("blocks", "invalid_blocks_format") or []
    check_message(text, blocks)
    check_pictures(call.world, blocks, "invalid_blocks")
    thread = thread_of(call, channel.id)
    more = {"thread_ts": thread, "metadata": _metadata(call)}
    return call.world.bot_message(channel.id, text, with_block_ids(blocks), **more)


def thread_of(call: Call, channel: str) -> str | None:
    """The root that thread_ts means; a reply's ts means its root."""
    wanted = call.text("thread_ts")
    if not wanted:
        return None
    parent = call.world.log.find(channel, wanted)
    if parent is None:
        raise SlackError("thread_not_found")
    return parent.root


def _own(call: Call, refusal: str) -> Message:
    message = call.message()
    if message.bot_id != call.world.company.bot_id:
        raise SlackError(refusal)
    return message


def _metadata(call: Call) -> Json | None:
    metadata = call.obj("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not metadata.get("event_type") or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    return metadata


METHODS = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
}
