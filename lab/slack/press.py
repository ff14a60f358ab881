"""A practice user presses a button, chooses from a menu, fills a modal, opens the home tab."""

from __future__ import annotations

import asyncio
from typing import Any

from lab.slack.company import User
from lab.slack.delivery import Delivery, Outcome
from lab.slack.errors import NO_SUCH_BUTTON, PracticeError, SlackError
from lab.slack.messages import Json, Message
from lab.slack.modals import close_view, replace_view, stack_view, top_view
from lab.slack.payloads import action_of, home_opened, message_action, view_action, view_closed, view_submission
from lab.slack.shown import Part, parts_of
from lab.slack.talk import failure, quiet_for, report
from lab.slack.waiting import Reaction, collect
from lab.slack.world import OpenView, World

FIRST_SIGN = 2.0
MODAL_WITHIN = 8.0


async def press(
    world: World,
    delivery: Delivery,
    user: User,
    message: Message,
    part: Part,
    chosen: Any = None,
    state: Json | None = None,
    longest: float = FIRST_SIGN,
) -> Reaction:
    """Use one element of a message, and see what comes of it."""
    trigger = world.new_trigger(user.id)
    action = action_of(world, part.block_id, part.element, chosen)
    payload = message_action(world, user, trigger, message, action, state or {})
    # Whoever waits for a modal does not take the next line of a busy thread for the answer.
    thread = None if longest == MODAL_WITHIN else message.root
    reaction = Reaction(world, user.id, trigger.id, thread=thread, pressed=message.ts)
    reaction.pressed_at = asyncio.get_running_loop().time()
    with world.feed.listen() as queue:
        require_ack(await delivery.deliver("interactive", payload))
        patience = longest + 2 * world.faults.delay
        await collect(queue, reaction, patience, quiet_for(world) / 2, lambda: reaction.view is not None)
    return reaction


async def press_in_view(
    world: World, delivery: Delivery, user: User, view: OpenView, part: Part, chosen: Any, state: Json
) -> Reaction:
    trigger = world.new_trigger(user.id)
    action = action_of(world, part.block_id, part.element, chosen)
    payload = view_action(world, user, trigger, view, action, state)
    require_ack(await delivery.deliver("interactive", payload))
    return Reaction(world, user.id, trigger.id)


async def submit(world: World, delivery: Delivery, user: User, view: OpenView, state: Json) -> Reaction:
    """Submit a modal; the bot's verdict decides whether it closes."""
    trigger = world.new_trigger(user.id)
    values = {**initial_state(view), **state}
    payload = view_submission(world, user, trigger, view, values)
    reaction = Reaction(world, user.id, trigger.id)
    with world.feed.listen() as queue:
        outcome = require_ack(await delivery.deliver("interactive", payload))
        _follow(world, view, outcome)
        await collect(queue, reaction, FIRST_SIGN + 2 * world.faults.delay, quiet_for(world) / 2, lambda: False)
    return reaction


def _follow(world: World, view: OpenView, outcome: Outcome) -> None:
    said = outcome.payload if isinstance(outcome.payload, dict) else {}
    action = said.get("response_action")
    if action == "errors":
        errors = said.get("errors") or {}
        raise PracticeError("validation", "; ".join(map(str, errors.values())), errors=errors, view=view.id)
    try:
        _move(world, view, action, said.get("view") or {})
    except SlackError as refusal:
        raise PracticeError("bad_view", f"The bot answered with a view that is refused: {refusal}") from refusal


def _move(world: World, view: OpenView, action: str | None, fresh: Json) -> None:
    if action == "update":
        replace_view(world, view, fresh)
    elif action == "push":
        stack_view(world, view, fresh)
    else:
        close_view(world, view, everything=action == "clear")


async def close(world: World, delivery: Delivery, user: User, view: OpenView) -> None:
    close_view(world, view)
    if view.view.get("notify_on_close"):
        await delivery.deliver("interactive", view_closed(world, user, view))


async def open_home(world: World, delivery: Delivery, user: User) -> OpenView | None:
    """Open the app's home tab; what was published for this person, if anything was."""
    reaction = Reaction(world, user.id, "")
    with world.feed.listen() as queue:
        delivery.announce(home_opened(world, user))
        world.feed.tell("home_opened", user.id, user.id)
        await collect(queue, reaction, FIRST_SIGN + world.faults.delay, 1.0, lambda: user.id in world.homes)
    return world.homes.get(user.id)


def require_ack(outcome: Outcome) -> Outcome:
    if not outcome.acked:
        raise failure(outcome.error)
    return outcome


def initial_state(view: OpenView) -> Json:
    """What a modal holds before anybody touches it."""
    values: Json = {}
    for block in view.view.get("blocks") or []:
        element = block.get("element") or {}
        if element.get("action_id"):
            values[block["block_id"]] = {element["action_id"]: _initial(element)}
    return values


def _initial(element: Json) -> Json:
    kind = element.get("type")
    if kind in ("static_select", "radio_buttons"):
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind == "users_select":
        return {"type": kind, "selected_user": element.get("initial_user")}
    if kind == "datetimepicker":
        return {"type": kind, "selected_date_time": element.get("initial_date_time")}
    return {"type": kind, "value": element.get("initial_value")}


async def click(
    world: World, delivery: Delivery, user: User, label: str, thread: str | None, typed: str | None
) -> Json:
    """Press the newest button of that label; answer its confirm dialog and its modal."""
    message, part, chosen = find_button(world, user, label, thread)
    longest = MODAL_WITHIN if typed else FIRST_SIGN
    reaction = await press(world, delivery, user, message, part, chosen, longest=longest)
    result = report(reaction) | {"error": None, "detail": "", "modal": None, "seconds": reaction.seconds}
    if reaction.view is None:
        return result
    result["modal"] = reaction.view.id
    filled = await _fill(world, delivery, user, reaction.view, typed)
    return result | {"answers": result["answers"] + report(filled)["answers"]}


async def _fill(world: World, delivery: Delivery, user: User, view: OpenView, typed: str | None) -> Reaction:
    """Submit a modal, and what the bot puts in its place, for example the next of several steps."""
    try:
        revision = view.revision
        reaction = await submit(world, delivery, user, view, _typed_state(view, typed))
        shown = top_view(world, user.id)
        if shown is None or (shown.id, shown.revision) == (view.id, revision):
            return reaction
        return await _fill(world, delivery, user, shown, typed)
    except PracticeError:
        # Nobody sits before this modal, so it does not stay open with its error.
        close_view(world, view, everything=True)
        raise


def _typed_state(view: OpenView, typed: str | None) -> Json:
    """The text goes into the first field that is empty, else into the last; what the bot filled in stays."""
    fields = [b for b in view.view.get("blocks") or [] if (b.get("element") or {}).get("type") == "plain_text_input"]
    empty = [field for field in fields if not field["element"].get("initial_value")]
    if not fields or (typed is None and not empty):
        return {}
    field = (empty or fields[-1:])[0]
    if typed is None:
        title = (view.view.get("title") or {}).get("text")
        label = (field.get("label") or {}).get("text")
        raise PracticeError("needs_text", f"{title}: the bot asks for “{label}”.", "Answer it with --type TEXT")
    element = field["element"]
    return {field["block_id"]: {element["action_id"]: {"type": "plain_text_input", "value": typed}}}


def find_button(world: World, user: User, label: str, thread: str | None) -> tuple[Message, Part, Any]:
    """The newest button (or option of a menu) of that label, which this person can see."""
    mine = [c.id for c in world.company.channels if user.id in c.members]
    seen = [m for m in world.log.seen_by(user.id, mine) if thread is None or m.root == thread]
    found = [(m, *hit) for m in reversed(seen) if (hit := _labelled(m, label))]
    for message, part, chosen in found:
        if part.visible_to(user.id):
            return message, part, chosen
    why = _why_not(world, label, seen, found)
    raise PracticeError(NO_SUCH_BUTTON, why, "See: mayday lab thread", shown=bool(found))


def _labelled(message: Message, label: str) -> tuple[Part, Any] | None:
    wanted = label.strip().casefold()
    for part in parts_of(message.blocks):
        if part.label.casefold() == wanted:
            return part, None
        for option in part.options:
            if str(option["text"]["text"]).casefold() == wanted:
                return part, option
    return None


def _why_not(world: World, label: str, seen: list[Message], found: list[tuple[Message, Part, Any]]) -> str:
    if found:
        allowed = found[0][1].element.get("visible_to_user_ids") or []
        names = ", ".join(u.name for u in world.company.people if u.id in allowed)
        return f"{label!r} is shown to {names} only."
    labels = dict.fromkeys(p.label for m in seen for p in parts_of(m.blocks) if p.label)
    return f"There is no {label!r}. There is: {', '.join(labels) or 'no button at all'}."
