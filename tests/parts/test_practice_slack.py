"""The practice Slack, played by a real Bolt app over Socket Mode and over HTTP."""

from __future__ import annotations

import httpx
import pytest
from slack_sdk.errors import SlackApiError

from bot.slack.stack_png import png
from lab.slack.client import RunningPracticeSlack
from tests.support.practice_bot import slack
from tests.support.tiny_bot import CHANNEL, TinyBot, bot, http_bot

__all__ = ["bot", "http_bot", "slack"]
pytestmark = pytest.mark.parts
DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"><circle r="2"/></svg>'


def test_a_command_is_answered_and_leads_to_its_thread(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    said = slack.say("/recover postgres pitr 14:30", "oncall")
    assert said["ok"]
    assert said["answers"] == ["Reading the window."]
    assert said["run"] == "run-1"
    thread = slack.thread(said["thread"])
    assert thread["run"] == "run-1"
    assert thread["messages"][0]["lines"][0] == "*A recovery* for @oncall"
    assert bot.seen[0]["user_id"] == "U0ONCALL"


def test_buttons_say_who_may_press_and_what_they_ask(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.say("/recover postgres")
    stop, cut = slack.thread()["messages"][0]["buttons"]
    assert (stop["label"], stop["who"], stop["confirm"]) == ("Stop", "everyone", "This swaps the *data*.")
    assert (cut["label"], cut["who"], cut["value"]) == ("Cut over", ["approver", "dba"], "run-1")


def test_a_pressed_button_carries_its_message_and_then_is_gone(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.say("/recover postgres")
    pressed = slack.click("Stop", "watcher")
    assert pressed["answers"] == ["You stopped it."]
    body = bot.seen[-1]
    assert body["message"]["metadata"]["event_payload"]["run"] == "run-1"
    assert body["container"]["message_ts"] == body["message"]["ts"]
    assert body["actions"][0]["block_id"] == "ask"
    assert slack.click("Stop", "watcher")["error"] == "no such button now"
    assert slack.thread()["messages"][0]["lines"] == ["Stopped."]


def test_a_modal_wants_its_text_and_shows_its_errors(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.say("/recover postgres")
    assert slack.click("Cut over", "approver")["error"] == "needs_text"
    wrong = slack.click("Cut over", "approver", typed="redis")
    assert (wrong["ok"], wrong["error"], wrong["detail"]) == (False, "validation", "Type: postgres")
    right = slack.click("Cut over", "approver", typed="postgres")
    assert right["ok"]
    assert right["answers"] == ["Cutting over."]
    assert slack.state("approver")["views"] == []


def test_a_button_for_others_cannot_be_pressed(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    slack.say("/recover postgres")
    refused = slack.click("Cut over", "oncall", typed="postgres")
    assert refused["error"] == "no such button now"
    assert "approver, dba only" in refused["detail"]


def test_a_mention_in_a_thread_is_answered_there(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    root = slack.say("/recover postgres")["thread"]
    said = slack.say("@Mayday status <now> & then", "dba", thread=root)
    assert said["answers"] == ["For you alone."]
    assert said["replies"] == ["Heard: @mayday status <now> & then"]
    assert bot.seen[-1]["event"]["text"] == "<@U0MAYDAY> status &lt;now&gt; &amp; then"
    for_dba = [m["text"] for m in slack.thread(root, user="dba")["messages"] if m["only_for"]]
    assert for_dba == ["For you alone."]
    assert not [m for m in slack.thread(root)["messages"] if m["only_for"]]


def test_commands_cannot_be_typed_in_a_thread(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    root = slack.say("/recover postgres")["thread"]
    assert slack.say("/recover status", thread=root)["error"] == "slash_in_thread"
    assert slack.say("/unheard of")["error"] == "unknown_command"


@pytest.mark.parametrize("text", ["zurück 🚑 ‘14:30’\nsecond line\u00a0x", "x" * 3000, 'a "payload" & <b>'])
def test_texts_arrive_unharmed(slack: RunningPracticeSlack, bot: TinyBot, text: str) -> None:
    slack.say(f"/recover quietly {text}")
    assert bot.seen[-1]["text"] == f"quietly {text}"


def test_a_command_without_acknowledgement_times_out(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    assert slack.say("/backup status")["error"] == "operation_timeout"
    assert len(bot.seen) == 1


def test_a_command_without_any_bot_fails_at_once(slack: RunningPracticeSlack) -> None:
    assert slack.say("/recover postgres")["error"] == "dispatch_failed"


def test_the_home_tab_is_published_when_opened(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    assert slack.home("watcher")["view"]["lines"] == ["No run is under way."]


def test_a_file_is_shared_in_its_thread(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    root = slack.say("/recover postgres")["thread"]
    bot.client.files_upload_v2(
        channel=CHANNEL,
        thread_ts=root,
        content="line one\nline two ✓",
        filename="replay.log",
        initial_comment="The log",
    )
    shared = slack.thread(root)["messages"][-1]
    assert shared["text"] == "The log"
    assert shared["files"][0]["content"] == "line one\nline two ✓"


def test_a_picture_that_a_block_names_is_read_as_an_image(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    said = bot.client.files_upload_v2(filename="stack.png", file=png(DOT))
    block = {"type": "image", "slack_file": {"id": said["files"][0]["id"]}, "alt_text": "the stack"}
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        bot.client.chat_postMessage(channel=CHANNEL, text="the stack", blocks=[block])
    slack.room.world.reads_files_in = 0.0
    assert bot.client.chat_postMessage(channel=CHANNEL, text="the stack", blocks=[block])["ok"]
    read = httpx.get(f"{slack.url}/files/{said['files'][0]['id']}/picture")
    assert read.headers["content-type"] == "image/png"
    assert read.content.startswith(b"\x89PNG")


def test_own_messages_are_found_again_by_their_metadata(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    ts = bot.ask(bot.client, "some-key")
    found = bot.client.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"]
    assert [(m["ts"], m["metadata"]["event_payload"]["key"]) for m in found] == [(ts, "some-key")]
    plain = bot.client.conversations_history(channel=CHANNEL)["messages"]
    assert "metadata" not in plain[0]


def test_http_mode_is_signed_and_does_the_same(slack: RunningPracticeSlack, http_bot: TinyBot) -> None:
    said = slack.say("/recover postgres pitr 14:30\nzwei & drei")
    assert said["run"] == "run-1"
    assert http_bot.seen[0]["text"] == "postgres pitr 14:30\nzwei & drei"
    assert slack.click("Cut over", "dba", typed="redis")["error"] == "validation"
    assert slack.click("Cut over", "dba", typed="postgres")["ok"]
    assert slack.say("@Mayday hello")["answers"] == ["For you alone."]


def test_a_wrong_signature_is_refused_by_the_bot(slack: RunningPracticeSlack, http_bot: TinyBot) -> None:
    slack.room.world.company.signing_secret = "another"
    assert slack.say("/recover postgres")["error"] == "http_status_401"


def test_the_bot_cannot_speak_where_it_is_not(slack: RunningPracticeSlack, bot: TinyBot) -> None:
    with pytest.raises(SlackApiError, match="not_in_channel"):
        bot.client.chat_postMessage(channel="C0GENERAL", text="hello")
    bot.client.conversations_join(channel="C0GENERAL")
    assert bot.client.chat_postMessage(channel="C0GENERAL", text="hello")["ok"]
