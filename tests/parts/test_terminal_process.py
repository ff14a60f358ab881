"""Real terminals: a screen that asks, and two users of one host who recover while Slack is unplugged."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from actions.engine.journal import Kind
from actions.settings.settings_file import read
from actions.store.store import Store
from bot.bot_service import BotService
from bot.views.steps import sentence
from lab.slack.client import RunningPracticeSlack
from tests.support.other_users import (
    ANA,
    BO,
    Screen,
    enrol_as,
    needs_root,
    next_code,
    operators,
    run_as,
    share_store,
    shared_folder,
)
from tests.support.paths import ROOT
from tests.support.practice_bot import lines, serving, slack
from tests.support.terminal_process import RealClock
from tests.support.terminal_world import CATALOG, Terminal
from tests.support.waiting import now, within

__all__ = ["slack"]
pytestmark = pytest.mark.parts
TOY = str(ROOT / "tests/support/terminal_process.py")
eventually = within(30)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, clock=RealClock())


def screen(terminal: Terminal, *words: str) -> Screen:
    return Screen([sys.executable, TOY, str(terminal.folder), "ana", *words])


def test_a_screen_asks_each_question_and_waits_for_the_approval_from_another_one(terminal: Terminal) -> None:
    secret = terminal.enrol("bo")
    ana = screen(terminal, "recover", "paint", "red")
    try:
        shown = ana.until("A number, and Enter:")
        assert "Bricks" in shown
        assert "1 Yes  2 No  3 Leave it" in shown
        ana.type("7")
        ana.until("A number, and Enter:")
        ana.type("1")
        ana.until("Type the plan's hash")
        ana.type("00000000")
        assert "not the hash" in ana.until("A number, and Enter:")
        ana.type("yes")
        ana.until("Type the plan's hash")
        ana.type(terminal.plan)
        shown = ana.until("A number, and Enter:")
        assert f"Varnish: somebody else says that, in another terminal: mayday approve {terminal.run.id}" in shown
        assert "1 Another colour  2 Back  3 Leave it" in shown
        said = terminal.typed(
            "bo", "approve", terminal.run.id, "--type", terminal.plan, "--code", terminal.code(secret)
        )
        assert said.exit_code == 0
        assert ana.ends() == 0, ana.seen
        assert "answered     Varnish by Bo" in ana.seen
        assert terminal.run.finished == "recovered"
    finally:
        ana.close()


def test_a_screen_can_be_left_and_the_run_waits(terminal: Terminal) -> None:
    ana = screen(terminal, "recover", "paint", "red")
    try:
        ana.until("A number, and Enter:")
        ana.type("Leave it")
        assert ana.ends() == 3
        assert terminal.run.asking
        assert "mayday answer" in ana.seen
    finally:
        ana.close()


def test_enrolling_on_a_screen_shows_the_picture_and_hides_the_code(terminal: Terminal) -> None:
    ana = screen(terminal, "operator", "enrol")
    try:
        shown = ana.until("The code that your app shows now")
        assert sum(shown.count(block) for block in "█▀▄") > 200
        secret = shown.split("secret: ")[1].split()[0]
        time.sleep(0.2)
        code = pyotp.TOTP(secret).now()
        ana.type(code)
        assert ana.ends() == 0, ana.seen
        assert code not in ana.seen
        assert (terminal.folder / "keys" / "ana.totp").read_text().strip() == secret
    finally:
        ana.close()


# Slack is unplugged --------------------------------------------------------------------------------------


@pytest.fixture
def folder() -> Iterator[Path]:
    with shared_folder("terminal") as made:
        yield made


@pytest.fixture
def store(folder: Path, slack: RunningPracticeSlack) -> Store:
    (folder / "settings.toml").write_text(f"""
store = "sqlite:///{folder}/mayday.db"
redis = "redis://127.0.0.1:9/0"
[slack]
channel = "C0OPSEMERG"
base_url = "{slack.api_url}"
bot_token = "xoxb-practice"
app_token = "xapp-practice"
{operators(folder / "keys", glass_minutes=0.01)}""")
    made = Store(f"sqlite:///{folder}/mayday.db", now)
    share_store(folder)
    return made


@pytest.fixture
def bot(folder: Path, store: Store) -> Iterator[BotService]:
    settings = read(folder / "settings.toml", {}, {})
    with serving(BotService(settings, store, CATALOG, lambda run: None, now)) as bot:
        yield bot


def mayday(uid: int, folder: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    share_store(folder)
    return run_as(uid, TOY, str(folder), "-", *words, stdin=stdin)


def enrolled(uid: int, folder: Path) -> str:
    """Enrol as that user does, reading the secret before typing the code; the secret."""
    return enrol_as(uid, TOY, str(folder), "-", "operator", "enrol")


@needs_root
def test_two_users_recover_while_slack_is_unplugged_and_the_thread_has_the_whole_story_once(
    folder: Path, slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    secret = enrolled(BO, folder)
    assert slack.wait_for_bot()
    slack.fault("down")
    asked = mayday(ANA, folder, "recover", "paint", "red")
    assert asked.returncode == 3, asked.stderr
    assert "Away: Slack, Redis, worker." in asked.stderr
    run = store.runs()[0]
    plan = store.run(run).question.plan[:8]  # type: ignore[union-attr]
    assert mayday(ANA, folder, "answer", run, "Yes", "--type", plan).returncode == 3
    plan = store.run(run).question.plan[:8]  # type: ignore[union-attr]
    for uid, why in ((ANA, "does not approve it alone"), (BO, "That code is wrong"), (30_003, "may not use")):
        wrong = mayday(uid, folder, "approve", run, "--type", plan, "--code", "000000")
        assert wrong.returncode == 1, wrong.stderr
        assert why in wrong.stderr
    done = mayday(BO, folder, "approve", run, "--type", plan, "--code", next_code(secret))
    assert done.returncode == 0, done.stderr
    assert store.run(run).finished == "recovered"
    assert slack.threads() == []
    slack.fault("off")
    told_in_order(slack, store, run)


def said(slack: RunningPracticeSlack) -> list[str]:
    """What the thread says; a file says nothing."""
    return [text for text in lines(slack) if text.strip()] if slack.threads() else [""]


def report(slack: RunningPracticeSlack, run: str) -> str:
    """The file with the whole of it, which stands in the thread once."""
    files = [file for message in slack.thread("newest")["messages"] for file in message["files"]]
    (found,) = [str(file["content"]) for file in files if file["name"].endswith(f"report-{run}.txt")] or [""]
    return found


def told_in_order(slack: RunningPracticeSlack, store: Store, run: str) -> None:
    """Every question of the journal stands in the thread, every finished step in its report; in order, once."""
    eventually(lambda: said(slack)[-1].startswith("*Recovered*"), 60)
    eventually(lambda: "Recovered" in lines(slack)[0])
    eventually(lambda: report(slack, run))
    told = store.entries(run)
    asked = [str(e.data["title"]) for e in told if e.kind is Kind.ASKED]
    shown = [line.strip("*") for text in lines(slack)[1:] for line in text.splitlines()]
    assert [line for line in shown if line in asked] == asked
    done = [sentence(str(e.data["title"])) for e in told if e.kind is Kind.DONE]
    # A line of the report begins with its mark and its number.
    listed = [line.partition(" · ")[0].split(" ", 2)[-1] for line in report(slack, run).splitlines()]
    assert [line for line in listed if line in done] == done
    assert len(slack.threads()) == 1
    assert "Asked by @oncall, in a terminal" in lines(slack)[0].replace("<@U0ONCALL>", "@oncall")
    assert any("Bo chose *Varnish*" in text for text in lines(slack))


@needs_root
def test_who_asked_breaks_the_glass_and_the_thread_says_so_first(
    folder: Path, slack: RunningPracticeSlack, store: Store, bot: BotService
) -> None:
    secret = enrolled(ANA, folder)
    assert mayday(ANA, folder, "recover", "paint").returncode == 3
    run = store.runs()[0]
    mayday(ANA, folder, "answer", run, "Yes", "--type", store.run(run).question.plan[:8])  # type: ignore[union-attr]
    time.sleep(0.7)
    done = mayday(
        ANA,
        folder,
        "approve",
        run,
        "--alone",
        "--reason",
        "Nobody answers.",
        "--code",
        next_code(secret),
        "--type",
        store.run(run).question.plan[:8],
    )  # type: ignore[union-attr]
    assert done.returncode == 0, done.stderr
    eventually(lambda: said(slack)[-1].startswith("*Approved by one person alone: Ana broke the glass"))
    eventually(lambda: lines(slack)[0].startswith("*Approved by one person alone: Ana broke the glass"))
