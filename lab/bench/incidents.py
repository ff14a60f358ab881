"""The figures of incidents in their order, on a company that folds alerts briefly."""

from __future__ import annotations

import time

from actions.engine.errors import RecoveryError
from lab import company, processes
from lab.bench.figure import Figure
from lab.bench.ground import Ground
from lab.bench.home_tab import home_tab
from lab.bench.pages import page_to_thread
from lab.bench.storm import storm

_FOLD_SECONDS = 6.0
"""Shorter than one round over the services that are paged, so that every page gets a thread of its own."""


def incident_figures(ground: Ground, target: str, figures: list[Figure]) -> None:
    """Add all of them. The home tab comes first: only a view that nobody opened before shows when it was made."""
    _fold_briefly(ground)
    figures.append(home_tab(ground))
    figures.append(page_to_thread(ground, target))
    # What was paged so far takes no more alerts in.
    time.sleep(_FOLD_SECONDS * 2)
    figures += storm(ground)


def _fold_briefly(ground: Ground) -> None:
    lab, settings = ground.lab, company.settings_file(ground.lab)
    fold = f"[pagerduty]\nfold_minutes = {_FOLD_SECONDS / 60:g}\n"
    settings.write_text(settings.read_text().replace("[pagerduty]\n", fold, 1))
    for part in ("bot", "worker"):
        processes.stop(lab, part)
        company.start_part(lab, part)
    # The room still counts the socket of the bot that has left, until it notices.
    time.sleep(8)
    if not ground.room.wait_for_bot(60):
        raise RecoveryError("The bot did not come back.", detail=processes.log_tail(lab, "bot"), hint="See its log.")
