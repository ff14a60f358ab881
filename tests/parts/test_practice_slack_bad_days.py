"""The bad days of the practice Slack, lived through by a real Bolt app."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from urllib.error import HTTPError

import httpx
import pytest
from slack_sdk.errors import SlackApiError

from lab.slack.client import RunningPracticeSlack
from tests.support.practice_bot import slack
from tests.support.tiny_bot import CHANNEL, TinyBot, bot, connected, eventually

__all__ = ["bot", "slack"]
pytestmark = pytest.mark.parts


def texts(slack: RunningPracticeSlack) -> list[str]:
    return [m["text"] for m in slack.state()["messages"]]


def test_the_bot_reconnects_after_the_service_was_down(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.fault("down")
    assert slack.say("/recover postgres")["error"] == "slack_is_down"
    with pytest.raises((SlackApiError, HTTPError)):
        bot.client.chat_postMessage(channel=CHANNEL, text="anybody there?")
    assert slack.health()["sockets"] == 0
    slack.fault("off")
    assert slack.wait_for_bot(20)
    assert slack.say("/recover postgres")["run"] == "run-1"


def test_the_bot_follows_when_asked_to_reconnect(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    old = slack.room.sockets._links[0]
    slack.sockets("refresh")
    eventually(lambda: slack.health()["sockets"] and old not in slack.room.sockets._links)
    assert slack.say("/recover postgres")["run"] == "run-1"


def test_an_event_that_nobody_acknowledged_comes_again(slack: RunningPracticeSlack) -> None:
    speaking = threading.Thread(target=slack.say, args=("@Mayday hello",))
    speaking.start()
    eventually(lambda: "<@U0MAYDAY> hello" in texts(slack))
    bot = TinyBot(slack.api_url)
    with connected(slack, bot):
        eventually(lambda: bot.seen)
        assert bot.headers[0]["x-slack-retry-num"]
        assert bot.headers[0]["x-slack-retry-reason"] == ["timeout"]
    speaking.join()


def test_twice_means_a_new_event_id_but_the_same_trigger(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.fault("twice")
    slack.say("/recover quietly")
    eventually(lambda: len(bot.seen) == 2)
    assert bot.seen[0]["trigger_id"] == bot.seen[1]["trigger_id"]
    bot.seen.clear()
    slack.say("@Mayday hello")
    eventually(lambda: len(bot.seen) == 2)
    assert bot.seen[0]["event"]["ts"] == bot.seen[1]["event"]["ts"]
    assert bot.seen[0]["event_id"] != bot.seen[1]["event_id"]


def test_every_second_call_is_limited_and_says_for_how_long(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.fault("limited")
    bot.client.users_info(user="U0DBA")
    with pytest.raises(SlackApiError) as refused:
        bot.client.users_info(user="U0DBA")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "1"


def test_a_failed_post_may_have_been_stored(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.fault("errors")
    answers = [post(slack, f"message {n}").status_code for n in range(4)]
    assert answers == [200, 500, 200, 500]
    assert texts(slack) == ["message 0", "message 2", "message 3"]


def test_slow_is_slow_and_arrives(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.fault("slow")
    began = time.monotonic()
    assert post(slack, "late").json()["ok"]
    assert time.monotonic() - began >= 3
    assert texts(slack) == ["late"]


def test_a_modal_still_opens_when_the_service_is_slow(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.say("/recover postgres")
    slack.fault("slow")
    assert slack.click("Cut over", "dba", typed="redis")["error"] == "validation"


def test_the_tenth_post_of_a_second_is_limited(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    # Over one connection: on a busy machine opening twelve takes longer than the second that is limited.
    with httpx.Client(trust_env=False) as client:
        answers = [post(slack, str(n), client) for n in range(12)]
    limited = [a for a in answers if a.status_code == 429]
    assert limited
    assert all(a.headers["Retry-After"] == "1" for a in limited)
    assert len(texts(slack)) == 12 - len(limited)
    assert slack.health()["limited"] == {"chat.postMessage": len(limited)}


def test_each_envelope_goes_to_one_of_several_sockets(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    second = TinyBot(slack.api_url)
    with connected(slack, second, sockets=2):
        for n in range(4):
            slack.say(f"/recover quietly {n}")
    said = [body["text"] for body in bot.seen + second.seen]
    assert sorted(said) == [f"quietly {n}" for n in range(4)]


def post(slack: RunningPracticeSlack, text: str, client: httpx.Client | None = None) -> httpx.Response:
    headers = {"Authorization": "Bearer xoxb-practice"}
    form = {"channel": CHANNEL, "text": text}
    with nullcontext(client) if client else httpx.Client(trust_env=False) as through:
        return through.post(f"{slack.api_url}chat.postMessage", data=form, headers=headers)
