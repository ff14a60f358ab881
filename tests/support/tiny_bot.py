"""A tiny real Bolt app, and the practice Slack that it talks to, for the tests of the practice Slack."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.slack.socket_mode import hang_up
from lab.slack.client import RunningPracticeSlack
from lab.slack.company import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.support.waiting import within

CHANNEL = "C0OPSEMERG"
eventually = within(8)
CONFIRM = {
    "title": {"type": "plain_text", "text": "Sure?"},
    "text": {"type": "mrkdwn", "text": "This swaps the *data*."},
    "confirm": {"type": "plain_text", "text": "Yes"},
    "deny": {"type": "plain_text", "text": "No"},
}
MODAL = {
    "type": "modal",
    "callback_id": "typed",
    "title": {"type": "plain_text", "text": "Cut over"},
    "submit": {"type": "plain_text", "text": "Cut over"},
    "blocks": [
        {
            "type": "input",
            "block_id": "name",
            "label": {"type": "plain_text", "text": "Type the service's name"},
            "element": {"type": "plain_text_input", "action_id": "typed"},
        }
    ],
}


def button(label: str, action: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": label}, **more}


class TinyBot:
    """A bot that does one of each: the smallest app that needs all of the protocol."""

    def __init__(self, api_url: str) -> None:
        self.client = WebClient(token=BOT_TOKEN, base_url=api_url)
        self.app = App(client=self.client, signing_secret=SIGNING_SECRET, token_verification_enabled=False)
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, Any]] = []
        self._listen()

    def _listen(self) -> None:
        self.app.command("/recover")(self.recover)
        self.app.command("/backup")(self.forget_to_acknowledge)
        self.app.event("app_mention")(self.mentioned)
        self.app.event("app_home_opened")(self.home)
        self.app.action("stop")(self.stop)
        self.app.action("cut")(self.cut)
        self.app.view("typed")(self.typed)

    def recover(self, ack: Any, respond: Any, body: Any, client: WebClient) -> None:
        self.seen.append(body)
        ack()
        respond("Reading the window.")
        if "quietly" not in body["text"]:
            self.ask(client, body["trigger_id"])

    def ask(self, client: WebClient, key: str) -> str:
        actions = [
            button("Stop", "stop", style="danger", confirm=CONFIRM),
            button("Cut over", "cut", value="run-1", visible_to_user_ids=["U0APPROVER", "U0DBA"]),
        ]
        posted = client.chat_postMessage(
            channel=CHANNEL,
            text="A recovery",
            blocks=[
                {"type": "section", "text": {"type": "mrkdwn", "text": "*A recovery* for <@U0ONCALL>"}},
                {"type": "actions", "block_id": "ask", "elements": actions},
            ],
            metadata={"event_type": "mayday_run", "event_payload": {"key": key, "run": "run-1"}},
        )
        return str(posted["ts"])

    def forget_to_acknowledge(self, body: Any) -> None:
        self.seen.append(body)
        time.sleep(3.5)

    def mentioned(self, event: Any, body: Any, say: Any, client: WebClient, request: Any) -> None:
        self.seen.append(body)
        self.headers.append(dict(request.headers))
        client.chat_postEphemeral(
            channel=CHANNEL, user=event["user"], text="For you alone.", thread_ts=event.get("thread_ts")
        )
        say(text=f"Heard: {event['text']}", thread_ts=event.get("thread_ts") or event["ts"])

    def home(self, event: Any, client: WebClient) -> None:
        words = {"type": "mrkdwn", "text": "No run is under way."}
        client.views_publish(
            user_id=event["user"], view={"type": "home", "blocks": [{"type": "section", "text": words}]}
        )

    def stop(self, ack: Any, body: Any, client: WebClient, respond: Any) -> None:
        self.seen.append(body)
        ack()
        client.chat_update(channel=CHANNEL, ts=body["message"]["ts"], text="Stopped.")
        respond("You stopped it.", replace_original=False)

    def cut(self, ack: Any, body: Any, client: WebClient) -> None:
        self.seen.append(body)
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    def typed(self, ack: Any, body: Any, client: WebClient) -> None:
        self.seen.append(body)
        if body["view"]["state"]["values"]["name"]["typed"]["value"] != "postgres":
            ack(response_action="errors", errors={"name": "Type: postgres"})
            return
        ack()
        client.chat_postEphemeral(channel=CHANNEL, user=body["user"]["id"], text="Cutting over.")


@contextmanager
def connected(slack: RunningPracticeSlack, bot: TinyBot, sockets: int = 1) -> Iterator[None]:
    """The bot, listening over Socket Mode."""
    handler = SocketModeHandler(bot.app, APP_TOKEN, ping_interval=0.5)
    handler.connect()
    assert slack.wait_for_bot(sockets=sockets)
    yield
    # The client's receive call sits on its lock for three seconds; a closed socket wakes it at once.
    slack.fault("down")
    assert hang_up(handler)
    slack.fault("off")


@pytest.fixture
def bot(slack: RunningPracticeSlack) -> Iterator[TinyBot]:
    bot = TinyBot(slack.api_url)
    with connected(slack, bot):
        yield bot


@pytest.fixture
def http_bot(slack: RunningPracticeSlack) -> Iterator[TinyBot]:
    bot = TinyBot(slack.api_url)
    handler = SlackRequestHandler(bot.app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    web = Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(web, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    slack.request_url(f"http://127.0.0.1:{port}/slack/events")
    yield bot
    server.should_exit = True
    thread.join(5)
