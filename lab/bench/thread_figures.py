"""The figures of a recovery's thread: its messages, what is read before the first decision, its length on a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from tempfile import TemporaryDirectory

from actions.catalog import find
from actions.engine.errors import RecoveryError
from actions.engine.folding import fold
from actions.engine.journal import Entry
from actions.engine.status import RunState
from bot.slack.run_thread import story
from bot.slack.thread_item import ThreadItem
from bot.views.run_header import HeaderData
from lab import company
from lab.bench.figure import Figure
from lab.bench.ground import Ground
from lab.bench.reading import characters
from lab.slack.client import PracticeSlack

MOST_MESSAGES, MOST_CHARACTERS, MOST_SCREENS = 9, 600, 4.0
PHONE = (390, 844)
"""Width and height of a phone's screen, in the pixels of its pages."""
_HEIGHT = re.compile(r'data-thread="(\d+)"')


def thread_figures(ground: Ground) -> list[Figure]:
    """A whole recovery, and the thread that it left."""
    run = ground.ask(ground.now())
    before = _drawn(company.open_store(ground.lab).entries(run))
    ground.press(run, "Pause writers and restore")
    ground.rest(run, RunState.ASKING)
    ground.approve(run)
    ground.rest(run, RunState.RECOVERED)
    after = _drawn(company.open_store(ground.lab).entries(run))
    ground.remove_kept(run)
    ground.settle()
    return [*counted(before, after), screens(ground.room, run)]


def counted(before: list[ThreadItem], after: list[ThreadItem]) -> list[Figure]:
    """Of the thread at its first question, and at its end."""
    read = characters(item.blocks for item in before)
    return [
        Figure(
            "messages of a recovery's thread, with its files",
            str(len(after)),
            f"at most {MOST_MESSAGES}",
            len(after) <= MOST_MESSAGES,
        ),
        Figure(
            "characters read before the first decision",
            str(read),
            f"at most {MOST_CHARACTERS}",
            read <= MOST_CHARACTERS,
        ),
    ]


def _drawn(entries: list[Entry]) -> list[ThreadItem]:
    run = fold(entries)
    return story(HeaderData(find(run.procedure), run, entries, entries[-1].at))


def screens(room: PracticeSlack, run: str, user: str = "approver") -> Figure:
    """How many screens of a phone a person scrolls through to have read the thread."""
    width, height = PHONE
    tall = _height(f"{room.url}/?user={user}&thread={room.thread(run)['thread']}&still=1&width={width}", width, height)
    number = tall / height
    what = f"screens of a phone ({width} by {height}) that the thread takes"
    return Figure(what, f"{number:.1f}", f"at most {MOST_SCREENS:g}", number <= MOST_SCREENS)


def _height(page: str, width: int, height: int) -> int:
    """What the page itself says of its thread, in a browser of that size.

    Raises:
        RecoveryError: there is no browser, or the page did not load.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise RecoveryError("The thread was not measured.", detail="No Chromium.", hint="apt-get install chromium")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=5000"]
    flags += ["--hide-scrollbars"]  # Those of a phone take no room.
    with TemporaryDirectory(prefix="mayday-browser-") as profile:
        sized = [f"--window-size={width},{height}", f"--user-data-dir={profile}", "--dump-dom", page]
        done = subprocess.run([browser, *flags, *sized], capture_output=True, text=True, timeout=120, check=False)
    found = _HEIGHT.search(done.stdout)
    if found is None:
        raise RecoveryError("The thread was not measured.", detail=done.stderr[-400:], hint=f"Open {page}")
    return int(found[1])
