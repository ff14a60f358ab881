"""A terminal of the toys as a process: FOLDER WHO WORDS…, with the real clock.

With `-` the people of `settings.toml` in the folder count, so the process is whoever its user id is.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from actions.engine.errors import RecoveryError
from actions.settings.settings_file import read
from bot.terminal import reading, verbs
from tests.support.terminal_world import APPS, VIEWS, Terminal


class RealClock:
    """Now."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def on(self, seconds: float) -> None:
        """It goes by itself."""


def main(folder: str, who: str, *words: str) -> int:
    terminal = Terminal(Path(folder), clock=RealClock()).terminal(who)
    if who == "-":
        terminal = replace(terminal, settings=lambda path: read(Path(folder) / "settings.toml", {}, {}))
    app: Any = APPS.get(words[0]) or (reading.app if words[0] in VIEWS else verbs.app)
    try:
        typer.main.get_command(app)(words[1:] if words[0] in APPS else words, obj={"terminal": terminal})
    except RecoveryError as refusal:
        sys.stderr.write("\n".join(part for part in (refusal.message, refusal.detail, refusal.hint) if part) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
