"""The views.* methods: modals and the App Home tab."""

from __future__ import annotations

import secrets

from lab.slack.blocks import check_view
from lab.slack.calls import Call, with_block_ids
from lab.slack.errors import SlackError
from lab.slack.messages import Json
from lab.slack.pictures import check_pictures
from lab.slack.world import OpenView, World

MOST_STACKED = 3


def open_view(call: Call) -> Json:
    view = _view(call)
    trigger = call.world.spend_trigger(call.need("trigger_id"), call.arrived)
    return _show(call, new_view(call.world, trigger.user, view, trigger.id))


def push_view(call: Call) -> Json:
    view = _view(call)
    trigger = call.world.spend_trigger(call.need("trigger_id"), call.arrived)
    top = top_view(call.world, trigger.user)
    return _show(call, stack_view(call.world, top, view) if top else new_view(call.world, trigger.user, view))


def update_view(call: Call) -> Json:
    found = call.world.views.get(call.text("view_id")) or _by_external_id(call)
    if found is None:
        raise SlackError("not_found")
    view = _view(call)
    _same_hash(call, found)
    replace_view(call.world, found, view)
    return {"view": found.as_slack(call.world.company)}


def publish_view(call: Call) -> Json:
    user, view = call.user("user_id"), _view(call)
    home = call.world.homes.get(user.id)
    if home is None:
        home = call.world.homes[user.id] = OpenView(_new_id(), user.id, view, revision=0)
    else:
        _same_hash(call, home)
    home.view, home.revision = _with_ids(view), home.revision + 1
    call.world.feed.tell("home", home, user.id)
    return {"view": home.as_slack(call.world.company)}


def new_view(world: World, user: str, view: Json, trigger: str = "", under: str | None = None) -> OpenView:
    opened = OpenView(_new_id(), user, _with_ids(view), trigger, under=under)
    world.views[opened.id] = opened
    world.feed.tell("view", opened, user)
    return opened


def stack_view(world: World, top: OpenView, view: Json) -> OpenView:
    if depth_of(world, top) >= MOST_STACKED:
        raise SlackError("push_limit_reached")
    return new_view(world, top.user, view, top.trigger, under=top.id)


def replace_view(world: World, opened: OpenView, view: Json) -> None:
    opened.view, opened.revision = _with_ids(view), opened.revision + 1
    world.feed.tell("view", opened, opened.user)


def close_view(world: World, opened: OpenView, everything: bool = False) -> None:
    world.views.pop(opened.id, None)
    below = world.views.get(opened.under or "")
    if below and everything:
        close_view(world, below, everything)
    world.feed.tell("view_closed", opened, opened.user)


def depth_of(world: World, opened: OpenView) -> int:
    below = world.views.get(opened.under or "")
    return 1 + (depth_of(world, below) if below else 0)


def top_view(world: World, user: str) -> OpenView | None:
    mine = [v for v in world.views.values() if v.user == user]
    return mine[-1] if mine else None


def _view(call: Call) -> Json:
    view = call.obj("view", "invalid_arguments")
    if view is None:
        raise SlackError("invalid_arguments", "missing required field: view")
    check_view(view)
    check_pictures(call.world, view.get("blocks") or [], "invalid_arguments", "/view/blocks")
    return view


def _with_ids(view: Json) -> Json:
    return {**view, "blocks": with_block_ids(view.get("blocks") or [])}


def _show(call: Call, opened: OpenView) -> Json:
    return {"view": opened.as_slack(call.world.company)}


def _same_hash(call: Call, found: OpenView) -> None:
    wanted = call.text("hash")
    if wanted and wanted != found.as_slack(call.world.company)["hash"]:
        raise SlackError("hash_conflict")


def _by_external_id(call: Call) -> OpenView | None:
    wanted = call.text("external_id")
    return next((v for v in call.world.views.values() if wanted and v.view.get("external_id") == wanted), None)


def _new_id() -> str:
    return f"V{secrets.token_hex(5).upper()}"


METHODS = {
    "views.open": open_view,
    "views.push": push_view,
    "views.update": update_view,
    "views.publish": publish_view,
}
