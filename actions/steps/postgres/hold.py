"""The hold after a swap: the recovered server serves and is proven, and the writers wait while people look."""

from __future__ import annotations

from datetime import timedelta

from actions.engine.procedure import Option, OptionEffect, Sheet
from actions.settings.site import SiteConfig
from actions.steps.postgres.check_integrity import Integrity
from actions.steps.postgres.look_at_server import Writers
from actions.steps.postgres.lost_at_stop import LostAtStop
from actions.steps.postgres.proof import Kept, Proof

LET_ON, UNDO = "Let writers on", "Undo"
OPTIONS = (Option(LET_ON), Option(UNDO, leads=OptionEffect.UNDO))
"""Whoever asked, or may approve, ends the hold or takes everything back. Nobody doing either, the writers go on."""


def is_wanted(site: SiteConfig) -> bool:
    """Whether the settings want a hold at all."""
    return site.hold_seconds > 0


def lasts(site: SiteConfig) -> timedelta:
    """How long the writers wait."""
    return timedelta(seconds=site.hold_seconds)


def besides_cut_over(site: SiteConfig) -> str:
    """What comes to the time of a cut-over for whoever writes; empty where the settings want no hold."""
    return f", and {site.hold_seconds:g} s of hold" if is_wanted(site) else ""


def hold_row(site: SiteConfig) -> tuple[tuple[str, str], ...]:
    """What the plan says of it."""
    if not is_wanted(site):
        return ()
    return (("Hold after the swap", f"{site.hold_seconds:g} s for a look, with Undo; or until '{LET_ON}' is pressed"),)


def hold_sheets(
    proof: Proof, integrity_after: Integrity, given_up: LostAtStop, kept: Kept, writers: Writers
) -> tuple[Sheet, ...]:
    """What people read while the writers wait."""
    return (
        Sheet(
            "Swapped, and the writers are still paused",
            (
                ("Proof", proof.says()),
                ("Integrity", integrity_after.verdict),
                ("Lost", given_up.says()),
                ("Old data", kept.path),
                ("Paused", writers.says()),
            ),
            notes=(
                "Look at the data now. Undo brings the old data back as it was when the writers stopped, and nothing "
                "of it is lost. Once the writers go on, this can no longer be undone.",
            ),
            alerts=given_up.alerts(),
        ),
    )
