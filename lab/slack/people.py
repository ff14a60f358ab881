"""The methods about people, groups and channels, and the small marks on messages."""

from __future__ import annotations

from lab.slack.calls import Call, message_json, page_of
from lab.slack.company import Channel
from lab.slack.errors import SlackError
from lab.slack.messages import Json, Message


def api_test(call: Call) -> Json:
    """Says the arguments back: a look whether Slack is there."""
    return {"args": {key: value for key, value in call.args.items() if key != "token"}}


def auth_test(call: Call) -> Json:
    company = call.world.company
    who = {"user": company.bot.name, "user_id": company.bot.id, "bot_id": company.bot_id}
    where = {"url": f"{call.world.base_url}/", "team": company.name, "team_id": company.team_id}
    return {**where, **who, "app_id": company.app_id, "is_enterprise_install": False}


def users_info(call: Call) -> Json:
    return {"user": call.user().as_slack(call.world.company.team_id)}


def users_list(call: Call) -> Json:
    company = call.world.company
    members = [u.as_slack(company.team_id) for u in (*company.people, company.bot)]
    return page_of(call, members, "members")


def usergroups_list(call: Call) -> Json:
    groups = call.world.company.groups
    listed = [
        {
            "id": g.id,
            "handle": g.handle,
            "name": g.name,
            "user_count": len(g.users),
            "date_delete": 0,
            "users": list(g.users),
        }
        for g in groups
    ]
    return {"usergroups": listed}


def usergroups_users(call: Call) -> Json:
    group = call.world.company.group(call.need("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def conversations_list(call: Call) -> Json:
    wanted = call.text("types") or "public_channel"
    listed = [c for c in call.world.company.channels if ("im" if c.is_direct else "public_channel") in wanted]
    return page_of(call, [_channel_json(call, c) for c in listed], "channels")


def conversations_info(call: Call) -> Json:
    return {"channel": _channel_json(call, call.channel(member=False))}


def conversations_members(call: Call) -> Json:
    return page_of(call, list(call.channel(member=False).members), "members")


def conversations_open(call: Call) -> Json:
    channel = call.world.company.channel(call.need("users"))
    if channel is None:
        raise SlackError("user_not_found")
    return {"channel": {"id": channel.id}}


def conversations_join(call: Call) -> Json:
    channel = call.channel(member=False)
    if channel.is_direct:
        raise SlackError("method_not_supported_for_channel_type")
    if call.world.company.bot.id not in channel.members:
        channel.members.append(call.world.company.bot.id)
    return {"channel": _channel_json(call, channel)}


def history(call: Call) -> Json:
    channel = call.channel()
    roots = _between(call, call.world.log.roots(channel.id))
    return _shown(call, roots[::-1])


def replies(call: Call) -> Json:
    root = call.message().root
    thread = call.world.log.thread(call.channel().id, root)
    return _shown(call, [m for m in thread if m.ts == root] + _between(call, [m for m in thread if m.ts != root]))


def add_reaction(call: Call) -> Json:
    message = call.message("timestamp")
    name, me = call.need("name", "invalid_name"), call.world.company.bot.id
    found = next((r for r in message.reactions if r["name"] == name), None)
    if found and me in found["users"]:
        raise SlackError("already_reacted")
    message.reactions.append({"name": name, "users": [me], "count": 1})
    call.world.changed(message)
    return {}


def add_pin(call: Call) -> Json:
    message = call.message("timestamp")
    pin = {"channel": message.channel, "ts": message.ts}
    if pin in call.world.pins:
        raise SlackError("already_pinned")
    call.world.pins.append(pin)
    return {}


def _channel_json(call: Call, channel: Channel) -> Json:
    is_member = call.world.company.bot.id in channel.members
    topic = {"value": channel.topic, "creator": "", "last_set": 0}
    kind = {"is_channel": not channel.is_direct, "is_im": channel.is_direct, "is_private": channel.is_direct}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_member": is_member,
        "is_archived": False,
        "topic": topic,
        "num_members": len(channel.members),
        **kind,
    }


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9999999999.999999"
    if call.flag("inclusive"):
        return [m for m in messages if oldest <= m.ts <= latest]
    return [m for m in messages if oldest < m.ts < latest]


def _shown(call: Call, messages: list[Message]) -> Json:
    metadata = call.flag("include_all_metadata")
    return page_of(call, [message_json(call.world, m, metadata) for m in messages], "messages", "has_more")


METHODS = {
    "api.test": api_test,
    "auth.test": auth_test,
    "users.info": users_info,
    "users.list": users_list,
    "usergroups.list": usergroups_list,
    "usergroups.users.list": usergroups_users,
    "conversations.list": conversations_list,
    "conversations.info": conversations_info,
    "conversations.members": conversations_members,
    "conversations.open": conversations_open,
    "conversations.join": conversations_join,
    "conversations.history": history,
    "conversations.replies": replies,
    "reactions.add": add_reaction,
    "pins.add": add_pin,
}
