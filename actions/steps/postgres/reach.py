"""What the window says of moments that were not taken: the other reading of a time, and what can be reached instead."""

from __future__ import annotations

from actions.clock.target import Target
from actions.clock.times import spell
from actions.postgres.choices import choose_backup
from actions.postgres.server import Server
from actions.postgres.unreachable import Unreachable
from actions.postgres.windows import Window
from actions.steps.postgres.choose_timeline import branch_of
from actions.steps.postgres.read_window import WindowInputs
from actions.tools.postgres_files import PostgresFiles


def out_of_reach(target: Target | None, around: WindowInputs, server: Server, files: PostgresFiles) -> str:
    """Why a moment lies outside of the window; empty where it lies in it, or there is none.

    No WAL is searched for it: whoever asks for that moment gets a run whose looks decide.
    """
    if target is None:
        return ""
    try:
        choose_backup(around.window, at=target.at, timeline=branch_of(target, around, server, files).timeline)
    except Unreachable as refused:
        return refused.message.rstrip(".")
    return ""


def reachable_instead(refused: Unreachable, window: Window) -> tuple[str, ...]:
    """What can be asked for in place of a moment that cannot be reached: the nearest one, and the newest."""
    nearest = (spell(refused.nearest),) if refused.nearest is not None else ()
    live = window.live
    newest = ("latest",) if live is not None and live.reaches else ()
    return (*nearest, *newest)
