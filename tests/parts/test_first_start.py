"""`mayday init` as a person meets it: a real terminal, the practice Slack, real files, a bot started with them."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.slack.client import RunningPracticeSlack
from tests.support.other_users import Screen
from tests.support.practice_bot import slack

__all__ = ["slack"]
pytestmark = pytest.mark.parts
MAYDAY = [sys.executable, "-P", "-m", "mayday"]


@pytest.fixture
def screen(tmp_path: Path, slack: RunningPracticeSlack) -> Iterator[Screen]:
    made = Screen([*MAYDAY, "init", "--slack-url", slack.api_url], cwd=tmp_path)
    yield made
    made.close()


def answers(screen: Screen, until: str = "") -> None:
    """Type what a person would, up to a question."""
    for question, said in (
        ("Bot token", "xoxb-wrong"),
        # What is typed before the question stands there again is shown, and thrown away.
        ("Slack does not know this token. Copy it again, whole, from the app's settings.\nBot token", "xoxb-practice"),
        ("App-level token", "xapp-practice"),
        ("Channel for", ""),
        ("Who may ask", "Olga Nowak, Ada Prewitt"),
        ("Who may approve", "@approver"),
        ("Its container", "no-such-container"),
        ("The database", "shop"),
        ("The WAL archive", ""),
        ("The base backups", ""),
        ("Containers that write", "web"),
        ("Time zone", "Europe/Berlin"),
        ("Redis", "redis://127.0.0.1:9/0"),
        ("Who may use the terminal", "ana=Olga Nowak"),
    ):
        screen.until(question, 90)
        if until and question.startswith(until):
            return
        if said or question.startswith(("Channel", "The")):
            screen.type(said)


def test_a_person_is_led_to_a_bot_that_hears_slack(screen: Screen, tmp_path: Path, slack: RunningPracticeSlack) -> None:
    answers(screen)
    said = screen.until("Until all is well", 120)
    assert screen.ends() == 0, screen.seen
    assert "well  Slack channel: #ops-emergency" in said
    assert "archive_mode=on" in said
    assert "there is no container no-such-container here" in said
    assert "xoxb-practice" not in screen.seen
    assert stat.S_IMODE((tmp_path / "mayday.env").stat().st_mode) == 0o600
    bot = subprocess.Popen([*MAYDAY, "bot", "--config", str(tmp_path / "mayday.toml")], stderr=subprocess.DEVNULL)
    try:
        assert slack.wait_for_bot(60)
    finally:
        bot.terminate()
        bot.wait(20)


@pytest.mark.parametrize("at", ["Bot token", "Who may ask", "Who may use"])
def test_ctrl_c_leaves_the_folder_as_it_was(screen: Screen, tmp_path: Path, at: str) -> None:
    answers(screen, at)
    screen.interrupt()
    assert screen.ends() == 1
    assert "Nothing was written." in screen.seen
    assert list(tmp_path.iterdir()) == []
