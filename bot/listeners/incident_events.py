"""An incident's buttons and dialogs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from actions.engine.procedure import Procedure
from actions.incidents.incident_actions import known
from bot.commands.parse_command import ProcedureCommand
from bot.commands.plain_text import bare, tidy
from bot.context import BotContext
from bot.dispatch import told
from bot.incidents import status_update
from bot.incidents.incident_commands import press
from bot.incidents.incident_scene import fits_of
from bot.incidents.thread_places import header_key
from bot.listeners.recipient import team_of
from bot.listeners.response_deadline import TAKEN, UNDER_WAY, ResponseDeadline
from bot.listeners.whisper import whisper
from bot.replies import recover_offers
from bot.runs.requests import Origin, open_run
from bot.slack.client import FAILURES, trouble
from bot.slack.people import Person
from bot.views import incident_modals as modals
from bot.views.moment_fields import moment_of

_log = logging.getLogger(__name__)
_NOT_READ = "Nothing was published: the text was that of another kind of update. Press *Status page…* again."
_AGAIN = "The dialog could not be opened ({}). Press the button once more."


def register(app: App, bot: BotContext) -> None:
    """Listen to all of them."""

    def pressed(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        _take_press(bot, client, body, action)

    def choose(ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        name, moment, service, site = modals.chosen(view)
        procedure = bot.procedure(name)
        if procedure is None:
            ack(response_action="errors", errors={modals.BLOCK: "This version does not know that recovery."})
            return
        ack(response_action="update", view=modals.arguments(view["private_metadata"], procedure, moment, service, site))

    def recover(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        place = _place(bot, client, body, str(json.loads(view["private_metadata"])["incident"]))
        _guarded(ack, view, place, lambda: bot.wake_worker(_begin(bot, body, view)))

    def take(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        name, said = view["private_metadata"], f"{modals.said(view)} <@{modals.said(view, 'who')}>"
        key, place = _key(body, view), _place(bot, client, body, name)
        # Who speaks is looked up within the deadline too: Slack may take its time to say.
        _guarded(ack, view, place, lambda: press(bot, "role", known(bot.store, name), _person(bot, body), key, said))

    def publish(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        place = _place(bot, client, body, status_update.pointer(view)[0])
        _guarded(ack, view, place, lambda: _publish(bot, body, view))

    app.action(re.compile(r"^incident:"))(pressed)
    app.view(modals.RECOVER)(choose)
    app.view(modals.ARGUMENTS)(recover)
    app.view(modals.ROLE)(take)
    app.view(modals.STATUS)(publish)


def _take_press(bot: BotContext, client: WebClient, body: dict[str, Any], action: dict[str, Any]) -> None:
    key = f"click {body['container'].get('message_ts')} {action.get('action_ts')} {body['user']['id']}"
    how, incident = str(action["action_id"]).partition(":")[2], str(action.get("value") or "")
    prompt = ResponseDeadline(lambda: _whisper(client, body, UNDER_WAY))
    try:
        prompt(lambda: _pressed(bot, client, body, how, incident, key))
    except RecoveryError as refusal:
        _whisper(client, body, told(refusal))
    else:
        if prompt.told:
            _whisper(client, body, TAKEN)


def _pressed(bot: BotContext, client: WebClient, body: dict[str, Any], how: str, name: str, key: str) -> None:
    """A dialog is opened before anything else but the gate: its trigger lives three seconds."""
    bot.people.admit(str(body["user"]["id"]), team_of(body))
    if how in ("recover", "role", "status"):
        _open(client, body, _dialog(bot, how, name, str(body["user"]["id"])))
        return
    # What the press does is written under its key; that it was heard needs no line of its own in the store.
    if not bot.recent.first(key):
        return
    bot.wake_worker(*press(bot, how, known(bot.store, name), _person(bot, body), key).errands)


def _dialog(bot: BotContext, how: str, name: str, user: str) -> dict[str, Any]:
    incident = known(bot.store, name)
    if how == "role":
        return modals.role(name, user)
    if how == "status":
        return status_update.dialog(bot, name)
    into = recover_offers.to_moment(bot)
    losses = [one.loss for one in recover_offers.offers(bot)[0]]
    return modals.recover(incident, *fits_of(bot, incident), losses, into.name if into else "")


def _open(client: WebClient, body: dict[str, Any], view: dict[str, Any]) -> None:
    try:
        client.views_open(trigger_id=body["trigger_id"], view=view)
    except FAILURES as error:
        _log.warning("the dialog could not be opened: %s", trouble(error).code)
        _whisper(client, body, _AGAIN.format(trouble(error).code))


def _begin(bot: BotContext, body: dict[str, Any], view: dict[str, Any]) -> str:
    """Ask for the recovery that was chosen, in the incident's thread."""
    pointer = json.loads(view["private_metadata"])
    procedure = bot.procedure(str(pointer["procedure"]))
    assert procedure is not None, "the dialog before has looked"
    header = bot.store.note("post", header_key(pointer["incident"])) or {}
    user = body["user"]
    origin = Origin(
        _key(body, view),
        str(user["id"]),
        team_of(body),
        str(header.get("channel") or ""),
        str(header.get("ts") or ""),
        str(user.get("name") or ""),
        str(pointer["incident"]),
    )
    service = str(pointer.get("service") or "") or _meant(bot, procedure, str(pointer["incident"]))
    wanted = moment_of(view) if procedure.words.usage == "<when>" else modals.said(view)
    wants = ProcedureCommand(procedure, bare(tidy(wanted)), service, str(pointer.get("site") or ""))
    return open_run(bot, wants, origin, _person(bot, body)).run


def _meant(bot: BotContext, procedure: Procedure, incident: str) -> str:
    """The one service of the procedure's kind that the incident is about; nothing where it is about none or several."""
    site = bot.settings.stack()[0]
    found = [one.name for one in site.of_kind(procedure.about) if one.name in known(bot.store, incident).services]
    return found[0] if len(found) == 1 else ""


def _publish(bot: BotContext, body: dict[str, Any], view: dict[str, Any]) -> dict[str, Any] | None:
    """Let out what somebody read; or the dialog anew, where they have not read yet what they chose."""
    fresh = status_update.other_kind(bot, view)
    if fresh is None:
        bot.wake_worker(status_update.publish(bot, view, _person(bot, body), _key(body, view)))
    return fresh


def _place(bot: BotContext, client: WebClient, body: dict[str, Any], incident: str) -> Callable[[str], None]:
    """How to tell whoever filled in a dialog something in the incident's thread."""

    def tell(text: str) -> None:
        header = bot.store.note("post", header_key(incident)) or {}
        if header.get("channel"):
            whisper(client, str(header["channel"]), str(body["user"]["id"]), text, str(header["ts"]))

    return tell


def _guarded(ack: Ack, view: dict[str, Any], tell: Callable[[str], None], work: Callable[[], object]) -> None:
    """Do it and close the dialog; what is refused is told in it, or in the thread where that took too long.

    Work that gives another dialog has done nothing yet: that one is shown instead.
    """

    def late() -> None:
        ack()
        tell(UNDER_WAY)

    prompt = ResponseDeadline(late)
    try:
        fresh = prompt(work)
    except RecoveryError as refusal:
        if prompt.told:
            tell(told(refusal))
            return
        text = refusal.words(" ")
        inputs = [block for block in view["blocks"] if block["type"] == "input"]
        typed = [one for one in inputs if (one.get("element") or {}).get("type") != "datetimepicker"]
        fields = [str(block["block_id"]) for block in typed or inputs]
        if fields:
            ack(response_action="errors", errors={fields[-1]: text[:2000]})
        else:
            refused = {"type": "section", "text": {"type": "plain_text", "text": text[:3000]}}
            ack(response_action="update", view={"type": "modal", "title": view["title"], "blocks": [refused]})
        return
    if isinstance(fresh, dict):
        tell(_NOT_READ) if prompt.told else ack(response_action="update", view=fresh)
    else:
        tell(TAKEN) if prompt.told else ack()


def _person(bot: BotContext, body: dict[str, Any]) -> Person:
    return bot.people.asking(str(body["user"]["id"]), team_of(body), str(body["user"].get("name") or ""))


def _key(body: dict[str, Any], view: dict[str, Any]) -> str:
    return f"view {view['id']} {view.get('hash', '')} {body['user']['id']}"


def _whisper(client: WebClient, body: dict[str, Any], text: str) -> None:
    container = body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    if channel:
        whisper(client, channel, str(body["user"]["id"]), text, container.get("thread_ts") or container["message_ts"])
