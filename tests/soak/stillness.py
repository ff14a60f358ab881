"""How long the writers really stood still, against how long the journal says that they did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.engine.journal import Entry, Kind
from actions.steps.writers import PAUSE_AND_RESTORE
from tests.soak.watch import Happened

AT_ONCE, FOR_CUT_OVER, RESUME = "pause the writers", "pause the writers for the cut-over", "resume the writers"
MARGIN = timedelta(seconds=2)
"""Between an effect and its entry; the clocks are one."""


@dataclass(frozen=True)
class Stretch:
    """From when to when; `end` is None where it has not ended."""

    begin: datetime
    end: datetime | None


def too_still(entries: Sequence[Entry], happened: Sequence[Happened], writers: Sequence[str]) -> Iterator[str]:
    """Every stretch in which a writer stood still outside of what the journal says."""
    said = said_still(entries)
    for writer in writers:
        for stretch in stood_still([one for one in happened if one.container == writer]):
            if not any(_within(stretch, window) for window in said):
                end = f"{stretch.end:%H:%M:%S.%f}" if stretch.end else "now"
                yield f"writers: {writer} stood still from {stretch.begin:%H:%M:%S.%f} to {end}; said: {_spoken(said)}"


def _spoken(windows: Sequence[Stretch]) -> str:
    return (
        ", ".join(f"{w.begin:%H:%M:%S.%f} to {f'{w.end:%H:%M:%S.%f}' if w.end else 'now'}" for w in windows) or "never"
    )


def _within(stretch: Stretch, window: Stretch) -> bool:
    if stretch.begin < window.begin - MARGIN:
        return False
    return window.end is None or (stretch.end is not None and stretch.end <= window.end + MARGIN)


def stood_still(happened: Sequence[Happened]) -> list[Stretch]:
    """When one container was paused or down."""
    stretches: list[Stretch] = []
    since: datetime | None = None
    for one in sorted(happened, key=lambda one: one.at):
        if one.action in ("pause", "die"):
            since = since or one.at
        elif one.action in ("unpause", "start") and since is not None:
            stretches.append(Stretch(since, one.at))
            since = None
    return [*stretches, *([Stretch(since, None)] if since else [])]


def said_still(entries: Sequence[Entry]) -> list[Stretch]:
    """When the writers stand still by the journal: from the act that pauses them to the one that lets them go.

    Each act that lets them go may restart a writer whose connections did not survive, within its own time.
    """
    windows: list[Stretch] = []
    since: datetime | None = None
    begun: dict[str, datetime] = {}
    at_once = False
    for entry in entries:
        title = str(entry.data.get("title", ""))
        if entry.kind is Kind.ANSWERED and entry.data.get("option") == PAUSE_AND_RESTORE:
            at_once = True
        elif entry.kind is Kind.BEGAN and (title == FOR_CUT_OVER or (title == AT_ONCE and at_once)):
            since = since or entry.at
        elif _begins_to_let_go(entry, title):
            begun.setdefault(title, entry.at)
        elif _lets_go(entry, title):
            windows.append(Stretch(since or begun.get(title, entry.at), entry.at))
            since = None
    if since is not None:
        windows.append(Stretch(since, None))
    return windows


def _begins_to_let_go(entry: Entry, title: str) -> bool:
    if entry.kind is Kind.BEGAN:
        return title == RESUME
    return entry.kind is Kind.UNDO_BEGAN and title in (AT_ONCE, FOR_CUT_OVER)


def _lets_go(entry: Entry, title: str) -> bool:
    if entry.kind is Kind.DONE:
        return title == RESUME
    return entry.kind is Kind.UNDONE and title in (AT_ONCE, FOR_CUT_OVER)
