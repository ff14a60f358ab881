"""The page of the practice room, drawn by a real browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from lab.slack.client import RunningPracticeSlack
from tests.support.practice_bot import slack

__all__ = ["slack"]
pytestmark = pytest.mark.browser
CHANNEL = "C0OPSEMERG"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=5000",
    "--window-size=1280,900",
)


def page(slack: RunningPracticeSlack, profile: Path, query: str) -> str:
    """The page as a browser draws it, without its live connection."""
    browser = shutil.which("chromium")
    assert browser, "chromium is not installed: apt-get install chromium"
    command = [browser, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", f"{slack.url}/?still=1&{query}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def words(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": kind, "text": text}


def question() -> list[dict[str, Any]]:
    cut = {"type": "button", "action_id": "cut", "text": words("Cut over", "plain_text"), "style": "primary"}
    task = {"type": "task_card", "task_id": "1", "title": "Replay", "status": "in_progress"}
    return [
        {"type": "section", "text": words("*bold* `code` <@U0DBA> <script>alert(1)</script> &lt;b&gt;")},
        {"type": "plan", "title": "The plan", "tasks": [task]},
        {"type": "actions", "elements": [cut | {"visible_to_user_ids": ["U0DBA"]}]},
    ]


def test_a_thread_is_drawn_and_its_buttons_are_for_those_who_may(slack: RunningPracticeSlack, tmp_path: Path) -> None:
    client = WebClient(token="xoxb-practice", base_url=slack.api_url)
    root = client.chat_postMessage(channel=CHANNEL, text="A recovery")["ts"]
    client.chat_postMessage(channel=CHANNEL, thread_ts=root, text="question", blocks=question())
    client.chat_postEphemeral(channel=CHANNEL, user="U0WATCHER", text="For the watcher's eyes")
    for_dba = page(slack, tmp_path / "dba", "user=dba&thread=newest")
    for_watcher = page(slack, tmp_path / "watcher", "user=watcher&thread=newest")
    for drawn in ("<strong>bold</strong>", "<code>code</code>", "@dba", "task in_progress", "The plan", "&lt;b&gt;"):
        assert drawn in for_dba
        assert drawn in for_watcher
    assert "<script>alert" not in for_dba
    assert ("Cut over" in for_dba, "Cut over" in for_watcher) == (True, False)
    assert ("only visible to you" in for_dba, "only visible to you" in for_watcher) == (False, True)


def test_a_room_shows_a_first_recovery_until_something_happened_there(
    slack: RunningPracticeSlack, tmp_path: Path
) -> None:
    client = WebClient(token="xoxb-practice", base_url=slack.api_url)
    client.chat_postMessage(channel=CHANNEL, text="The first base backup")
    client.chat_postEphemeral(channel=CHANNEL, user="U0ONCALL", text="That is no command")
    assert "A first recovery" in page(slack, tmp_path / "new", "user=oncall")
    client.chat_postMessage(channel=CHANNEL, text="A recovery")
    assert "A first recovery" not in page(slack, tmp_path / "used", "user=oncall")


def test_a_moment_is_picked_in_the_zone_of_the_person(slack: RunningPracticeSlack, tmp_path: Path) -> None:
    picker = {"type": "datetimepicker", "action_id": "at", "initial_date_time": 1796079648}
    field = {"type": "input", "block_id": "at", "label": words("When", "plain_text"), "element": picker}
    client = WebClient(token="xoxb-practice", base_url=slack.api_url)
    for user in ("U0ONCALL", "U0APPROVER"):
        client.views_publish(user_id=user, view={"type": "home", "blocks": [field]})
    # 23:00:48 UTC is midnight in Berlin and the evening in New York.
    assert 'value="2026-12-01T00:00:48"' in page(slack, tmp_path / "berlin", "user=oncall&tab=home")
    assert 'value="2026-11-30T18:00:48"' in page(slack, tmp_path / "york", "user=approver&tab=home")


def test_the_page_of_a_phone_is_as_wide_as_it_is_told(slack: RunningPracticeSlack, tmp_path: Path) -> None:
    assert "width: 390px" in page(slack, tmp_path / "phone", "user=oncall&width=390")


def test_the_home_tab_is_drawn_with_its_buttons_and_fields(slack: RunningPracticeSlack, tmp_path: Path) -> None:
    client = WebClient(token="xoxb-practice", base_url=slack.api_url)
    verify = {"type": "button", "action_id": "verify", "text": words("Verify", "plain_text")}
    shown = [
        {"type": "header", "text": words("How things stand", "plain_text")},
        {"type": "actions", "elements": [verify]},
        {"type": "section", "fields": [words("*Newest dump*\n&lt;b&gt;"), words("<!date^1771000000^{ago}|long ago>")]},
    ]
    client.views_publish(user_id="U0DBA", view={"type": "home", "blocks": shown})
    drawn = page(slack, tmp_path / "dba", "user=dba&tab=home")
    for part in ("How things stand", ">Verify</button>", "<strong>Newest dump</strong>", "&lt;b&gt;", " ago"):
        assert part in drawn
    assert "has not drawn its home tab yet" in page(slack, tmp_path / "watcher", "user=watcher&tab=home")
