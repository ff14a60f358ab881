"""The practice Slack's rules, without any network: texts, blocks, limits, lifetimes, the snapshot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lab.slack import snapshot, webapi
from lab.slack.calls import Call
from lab.slack.errors import PracticeError, SlackError
from lab.slack.hooks import post_answer
from lab.slack.messages import Message
from lab.slack.press import find_button
from lab.slack.server import WEB
from lab.slack.talk import known_user, link_names
from lab.slack.world import World

CHANNEL = "C0OPSEMERG"


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World(clock=clock, base_url="http://practice")


def call(world: World, method: str, token: str = "xoxb-practice", **args: Any) -> dict[str, Any]:
    return webapi.carry_out(Call(world, method, args, token, world.clock()), webapi.METHODS)


def post(world: World, **args: Any) -> dict[str, Any]:
    return call(world, "chat.postMessage", channel=CHANNEL, **args)


def text(words: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": kind, "text": words}


def section(words: str) -> dict[str, Any]:
    return {"type": "section", "text": text(words)}


def button(label: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": text(label, "plain_text"), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def plan(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "plan", "title": "Plan", "tasks": list(tasks)}


def task(task_id: str, status: str = "pending") -> dict[str, Any]:
    return {"type": "task_card", "task_id": task_id, "title": task_id, "status": status}


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([section("x" * 3000)], None),
        ([section("x" * 3001)], "invalid_blocks"),
        ([section("")], "invalid_blocks"),
        ([section("x")] * 50, None),
        ([section("x")] * 51, "invalid_blocks"),
        ([section("x" * 2700)] * 5, "msg_blocks_too_long"),
        ([{"type": "header", "text": text("x" * 151, "plain_text")}], "invalid_blocks"),
        ([{"type": "header", "text": text("x")}], "invalid_blocks"),
        ([{"type": "nonsense"}], "invalid_blocks"),
        ("no list", "invalid_blocks_format"),
        ([actions(button("x" * 76))], "invalid_blocks"),
        ([actions(button("x", style="green"))], "invalid_blocks"),
        ([actions(button("x"), button("y"))], "invalid_blocks"),
        ([actions(button("x", value="v" * 2001))], "invalid_blocks"),
        ([actions(button("x", confirm={"title": text("t", "plain_text"), "text": text("x" * 301)}))], "invalid_blocks"),
        ([actions()], "invalid_blocks"),
        ([plan(task("a"), task("b", "complete"))], None),
        ([plan(task("a"), task("a"))], "invalid_blocks"),
        ([plan(task("a", "completed"))], "invalid_blocks"),
        ([plan(*(task(str(n)) for n in range(51)))], "invalid_blocks"),
        ([task("a", "in_progress")], None),
        ([task("a", "pending")], "invalid_blocks"),
        ([plan(task("a")), task("b", "complete")], "invalid_blocks"),
        ([{**section("a"), "block_id": "1"}, {**section("b"), "block_id": "1"}], "invalid_blocks"),
    ],
)
def test_blocks_are_judged_as_slack_judges_them(world: World, blocks: Any, error: str | None) -> None:
    assert post(world, text="t", blocks=blocks).get("error") == error


def test_texts_have_limits(world: World) -> None:
    assert post(world)["error"] == "no_text"
    assert post(world, text="x" * 40_001)["error"] == "msg_too_long"
    assert post(world, text="x" * 40_000)["ok"]


def test_refused_blocks_are_named_by_their_place(world: World) -> None:
    refused = post(world, text="t", blocks=[section("a"), section("x" * 3001)])
    assert "json-pointer:/blocks/1/text/text" in refused["response_metadata"]["messages"][0]


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-other", "auth.test", "invalid_auth"),
        ("xapp-practice", "auth.test", "not_allowed_token_type"),
        ("xoxb-practice", "auth.test", None),
        ("xoxb-practice", "chat.dance", "unknown_method"),
    ],
)
def test_tokens_are_checked(world: World, token: str, method: str, error: str | None) -> None:
    assert call(world, method, token).get("error") == error


def test_every_message_of_a_frozen_clock_has_its_own_ts(world: World) -> None:
    assert len({post(world, text=str(n))["ts"] for n in range(100)}) == 100


def test_only_the_posting_app_may_edit(world: World) -> None:
    human = world.post(Message(CHANNEL, world.log.next_ts(), "U0ONCALL", "mine"))
    assert call(world, "chat.update", channel=CHANNEL, ts=human.ts, text="x")["error"] == "cant_update_message"
    assert call(world, "chat.delete", channel=CHANNEL, ts=human.ts)["error"] == "cant_delete_message"
    assert call(world, "chat.update", channel=CHANNEL, ts="1.1", text="x")["error"] == "message_not_found"


def test_a_new_text_without_blocks_takes_the_blocks_away(world: World) -> None:
    ts = post(world, text="t", blocks=[section("a")], metadata={"event_type": "e", "event_payload": {"key": "k"}})["ts"]
    updated = call(world, "chat.update", channel=CHANNEL, ts=ts, text="new")["message"]
    assert "blocks" not in updated
    assert updated["metadata"]["event_payload"] == {"key": "k"}


def test_a_reply_to_a_reply_lands_in_the_same_thread(world: World) -> None:
    root = post(world, text="root")["ts"]
    reply = post(world, text="reply", thread_ts=root)["ts"]
    post(world, text="again", thread_ts=reply)
    thread = call(world, "conversations.replies", channel=CHANNEL, ts=root)["messages"]
    assert [m["text"] for m in thread] == ["root", "reply", "again"]
    assert thread[0]["reply_count"] == 2
    assert post(world, text="x", thread_ts="1.1")["error"] == "thread_not_found"


def test_history_comes_in_pages_newest_first(world: World) -> None:
    for n in range(5):
        post(world, text=str(n))
    first = call(world, "conversations.history", channel=CHANNEL, limit="2")
    assert [m["text"] for m in first["messages"]] == ["4", "3"]
    cursor = first["response_metadata"]["next_cursor"]
    second = call(world, "conversations.history", channel=CHANNEL, limit="2", cursor=cursor)
    assert [m["text"] for m in second["messages"]] == ["2", "1"]
    assert second["has_more"]


def test_people_have_zones_and_guests_are_restricted(world: World) -> None:
    oncall = call(world, "users.info", user="U0ONCALL")["user"]
    assert (oncall["tz"], oncall["tz_offset"] in (3600, 7200)) == ("Europe/Berlin", True)
    assert call(world, "users.info", user="U0GUEST")["user"]["is_restricted"]
    assert call(world, "users.info", user="U0NOBODY")["error"] == "user_not_found"
    assert call(world, "usergroups.users.list", usergroup="S0APPROVERS")["users"] == ["U0APPROVER", "U0DBA"]
    assert call(world, "usergroups.users.list", usergroup="S0")["error"] == "no_such_subteam"


def test_a_trigger_lives_three_seconds_and_opens_one_modal(world: World, clock: Clock) -> None:
    view = {"type": "modal", "title": text("T", "plain_text"), "blocks": [section("a")]}
    trigger = world.new_trigger("U0ONCALL")
    assert call(world, "views.open", trigger_id=trigger.id, view=view)["ok"]
    assert call(world, "views.open", trigger_id=trigger.id, view=view)["error"] == "exchanged_trigger_id"
    late = world.new_trigger("U0ONCALL")
    clock.now += 3.1
    assert call(world, "views.open", trigger_id=late.id, view=view)["error"] == "expired_trigger_id"
    assert call(world, "views.open", trigger_id="none", view=view)["error"] == "invalid_trigger_id"


@pytest.mark.parametrize(
    "change",
    [
        {"title": text("x" * 25, "plain_text")},
        {"blocks": [{"type": "input", "label": text("l", "plain_text"), "element": {"type": "plain_text_input"}}]},
        {"private_metadata": "x" * 3001},
        {"blocks": [plan(task("a"))]},
        {"type": "window"},
    ],
)
def test_bad_modals_are_refused(world: World, change: dict[str, Any]) -> None:
    view = {"type": "modal", "title": text("T", "plain_text"), "blocks": [section("a")], **change}
    trigger = world.new_trigger("U0ONCALL")
    assert call(world, "views.open", trigger_id=trigger.id, view=view)["error"] == "invalid_arguments"


def test_a_stale_hash_loses_against_a_newer_home(world: World) -> None:
    view = {"type": "home", "blocks": [section("a")]}
    old = call(world, "views.publish", user_id="U0DBA", view=view)["view"]["hash"]
    assert call(world, "views.publish", user_id="U0DBA", view=view, hash=old)["ok"]
    assert call(world, "views.publish", user_id="U0DBA", view=view, hash=old)["error"] == "hash_conflict"


def test_a_response_url_answers_five_times_within_half_an_hour(world: World, clock: Clock) -> None:
    trigger = world.new_trigger("U0ONCALL")
    hook = world.new_hook(trigger, CHANNEL).rsplit("/", 1)[1]
    for n in range(5):
        post_answer(world, world.spend_hook(hook), {"text": str(n)})
    with pytest.raises(SlackError, match="used_url"):
        world.spend_hook(hook)
    late = world.new_hook(trigger, CHANNEL).rsplit("/", 1)[1]
    clock.now += 30 * 60 + 1
    with pytest.raises(SlackError, match="expired_url"):
        world.spend_hook(late)
    assert [m.only_for for m in world.log.channels[CHANNEL]] == ["U0ONCALL"] * 5


def test_posts_pass_in_a_burst_and_then_one_a_second(world: World, clock: Clock) -> None:
    waits = [world.limiter.retry_after("chat.postMessage", CHANNEL) for _ in range(9)]
    assert waits == [None] * 8 + [1]
    assert world.limiter.retry_after("chat.postMessage", "C0GENERAL") is None
    clock.now += 1
    assert world.limiter.retry_after("chat.postMessage", CHANNEL) is None


def test_edits_are_limited_to_fifty_a_minute(world: World, clock: Clock) -> None:
    passed = 0
    for _ in range(600):
        passed += world.limiter.retry_after("chat.update", CHANNEL) is None
        clock.now += 0.1
    assert 50 <= passed <= 50 + 25


def test_two_alternating_methods_both_get_through_bad_days(world: World) -> None:
    world.faults.set("limited")
    verdicts = [world.faults.judge(method) for method in ["chat.update", "users.info"] * 4]
    assert verdicts.count("limited") == 4
    assert {verdicts[i] for i in (0, 1)} == {"pass"}
    world.faults.set("errors")
    posts = [world.faults.judge("chat.postMessage") for _ in range(4)]
    assert posts == ["pass", "error", "pass", "error after"]


def test_names_become_mentions_and_mail_addresses_do_not(world: World) -> None:
    assert link_names(world, "@dba ask @Mayday", labelled=False) == "<@U0DBA> ask <@U0MAYDAY>"
    assert link_names(world, "role scribe @dba", labelled=True) == "role scribe <@U0DBA|dba>"
    assert link_names(world, "me@dba.example", labelled=False) == "me@dba.example"
    with pytest.raises(PracticeError, match="unknown_user"):
        known_user(world, "nobody")


def test_the_newest_button_of_a_label_is_pressed(world: World) -> None:
    post(world, text="t", blocks=[actions(button("Stop", value="old"))])
    newest = post(world, text="t", blocks=[actions(button("Stop", value="new"))])["ts"]
    message, part, _ = find_button(world, known_user(world, "dba"), "stop", None)
    assert (message.ts, part.element["value"]) == (newest, "new")
    with pytest.raises(PracticeError, match="There is: Stop"):
        find_button(world, known_user(world, "dba"), "Go", None)


def test_every_block_reads_as_plain_text(world: World) -> None:
    words = rich(
        {
            "type": "rich_text_section",
            "elements": [{"type": "text", "text": "did "}, {"type": "user", "user_id": "U0DBA"}],
        }
    )
    items = rich({"type": "rich_text_list", "style": "ordered", "elements": [words["elements"][0]] * 2})
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": text("Postgres", "plain_text")},
        section("See <https://x.example|the page> at <!date^1^{time}|14:30> &amp; <!subteam^S0APPROVERS>"),
        {"type": "section", "fields": [text("*RTO*\n30 min"), text("one line")]},
        {"type": "context", "elements": [text("by <@U0ONCALL>"), {"type": "image", "alt_text": "sign"}]},
        actions(button("Go")),
        {"type": "plan", "title": "Plan", "tasks": [{**task("copy", "complete"), "output": words}, task("replay")]},
        items,
        {"type": "markdown", "text": "**bold**"},
        {
            "type": "table",
            "rows": [
                [{"type": "raw_text", "text": "table"}, {"type": "raw_text", "text": "rows"}],
                [{"type": "raw_text", "text": "m"}, {"type": "raw_number", "value": 12}],
            ],
        },
        {"type": "divider"},
    ]
    assert world.plain.blocks(blocks) == [
        "POSTGRES",
        "See the page (https://x.example) at 14:30 & @approvers",
        "*RTO*: 30 min",
        "one line",
        "by @oncall [image: sign]",
        "[ Go ]",
        "Plan",
        "[x] copy",
        "    did @dba",
        "[ ] replay",
        "1. did @dba",
        "2. did @dba",
        "**bold**",
        "table | rows",
        "m     | 12",
        "-" * 40,
    ]


def test_the_room_is_the_same_after_a_restart(world: World, tmp_path: Path) -> None:
    root = post(world, text="root", blocks=[section("é")])["ts"]
    post(world, text="reply", thread_ts=root)
    call(world, "conversations.join", channel="C0GENERAL")
    snapshot.save(world, tmp_path / "room.json")
    again = World(clock=world.clock, base_url="http://practice")
    snapshot.load(again, tmp_path / "room.json")
    assert snapshot.as_json(again) == snapshot.as_json(world)
    assert post(again, text="next")["ts"] > root


def test_the_page_fetches_nothing_from_elsewhere_and_writes_no_html() -> None:
    files = [path for path in WEB.iterdir() if path.suffix in (".html", ".css", ".js")]
    assert len(files) >= 9
    for path in files:
        words = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|innerHTML|insertAdjacentHTML|document\.write", words), path.name


PNG = b"\x89PNG\r\n\x1a\n and so on"


def uploaded(world: World, content: bytes = PNG) -> str:
    """The id of a file whose upload was completed without a channel."""
    file = call(world, "files.getUploadURLExternal", filename="stack.png", length=len(content))["file_id"]
    world.files[file].content = content
    assert call(world, "files.completeUploadExternal", files=[{"id": file}])["ok"]
    return str(file)


def image(**named: str) -> dict[str, Any]:
    return {"type": "image", "alt_text": "the stack", "slack_file": named}


def test_a_picture_names_a_file_of_the_workspace_that_slack_has_read(world: World, clock: Clock) -> None:
    file = uploaded(world)
    assert (
        said_of(post(world, text="x", blocks=[image(id=file)]))
        == "invalid slack file [json-pointer:/blocks/0/slack_file]"
    )
    clock.now += 5
    assert post(world, text="x", blocks=[image(id=file)])["ok"]
    assert post(world, text="x", blocks=[image(url=world.link_to(world.files[file]))])["ok"]
    home = {"type": "home", "blocks": [image(id=file)]}
    assert call(world, "views.publish", user_id="U0ONCALL", view=home)["ok"]


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"id": "F0NOTTHERE"}, "invalid slack file"),
        ({"url": "http://elsewhere/x.png"}, "invalid slack file"),
        ({"id": "stack"}, "input must match regex pattern: ^[F][A-Z0-9]{8,}$"),
        ({"id": "F0NOTTHERE", "url": "http://practice/x"}, "must have either id or url"),
    ],
)
def test_a_picture_of_no_such_file_is_refused_in_messages_and_views(
    world: World, named: dict[str, str], why: str
) -> None:
    assert said_of(post(world, text="x", blocks=[image(**named)])).startswith(why)
    home = {"type": "home", "blocks": [section("x"), image(**named)]}
    refused = call(world, "views.publish", user_id="U0ONCALL", view=home)
    assert refused["error"] == "invalid_arguments"
    assert said_of(refused) == f"{why} [json-pointer:/view/blocks/1/slack_file]"


def test_svg_is_no_picture(world: World, clock: Clock) -> None:
    file = uploaded(world, b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    clock.now += 5
    assert post(world, text="x", blocks=[image(id=file)])["error"] == "invalid_blocks"


def said_of(answer: dict[str, Any]) -> str:
    return str(answer["response_metadata"]["messages"][0]).removeprefix("[ERROR] ")
