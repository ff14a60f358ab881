"""What each answer of a point-in-time recovery does, in the words that stand beside its button."""

from __future__ import annotations

from collections.abc import Sequence

from actions.engine.procedure import Answer
from actions.settings.site import SiteConfig
from actions.steps.postgres.estimate import Estimate
from actions.steps.postgres.hold import besides_cut_over
from actions.steps.postgres.look_at_server import Writers
from actions.steps.postgres.prepared import PreparedOpen
from actions.steps.writers import PAUSE_AND_RESTORE
from actions.wording import counted

UNTOUCHED = "The live data is not touched."


def pausing(writers: Writers) -> str:
    """Whoever writes is paused now, until the cut-over or until it is given up."""
    names = _running(writers)
    if not names:
        return f"No writer runs, so nobody is paused. {UNTOUCHED} Discard gives up the restored copy."
    stops, them = ("stops", "it") if len(names) == 1 else ("stop", "them")
    return f"{_and(names)} {stops} now. {UNTOUCHED} Discard lets {them} on."


def keeping(writers: Writers) -> str:
    """Nobody is paused before the cut-over."""
    names = _running(writers)
    if not names:
        return f"No writer runs, so nobody is paused. {UNTOUCHED} Discard gives up the restored copy."
    goes = "goes" if len(names) == 1 else "go"
    return f"{_and(names)} {goes} on until the cut-over; what is written meanwhile is lost by it. {UNTOUCHED}"


def cutting_over(writers: Writers, times: Estimate, site: SiteConfig) -> str:
    """The swap, with the configuration that is in force now."""
    return _swap(writers, times, site, "")


def cutting_over_with_backups(writers: Writers, times: Estimate, site: SiteConfig) -> str:
    """The swap, with the configuration files of the base backup."""
    return _swap(writers, times, site, " with the configuration of the backup")


def discarding(mode: Answer) -> str:
    """Everything goes on as before the recovery."""
    on = ", and the writers that were paused for it go on" if mode.option == PAUSE_AND_RESTORE else ""
    return f"The restored copy is set aside{on}. {UNTOUCHED}"


def committing(prepared: PreparedOpen) -> str:
    """Prepared transactions become part of the restored data."""
    return _settled(prepared, "committed")


def rolling_back(prepared: PreparedOpen) -> str:
    """What prepared transactions wrote is left out of the restored data."""
    return _settled(prepared, "rolled back")


def leaving(prepared: PreparedOpen) -> str:
    """Prepared transactions stay open after the cut-over."""
    stay = "stays" if len(prepared.all) == 1 else "stay"
    return f"{_all(prepared)} {stay} open in the restored data and keep their locks until somebody ends them."


def _settled(prepared: PreparedOpen, what: str) -> str:
    are = "is" if len(prepared.all) == 1 else "are"
    return f"{_all(prepared)} {are} {what} in the restored copy, once a cut-over is approved. {UNTOUCHED}"


def _all(prepared: PreparedOpen) -> str:
    return counted(len(prepared.all), "prepared transaction")


def _swap(writers: Writers, times: Estimate, site: SiteConfig, how: str) -> str:
    names = _and([one.name for one in writers.all]) or "The database"
    stands = "stands" if len(writers.all) < 2 else "stand"
    return (
        f"{names} {stands} still for about {times.cut_over:.0f} s{besides_cut_over(site)}. The restored data{how} "
        "takes the place of the live data, which is kept. Undo works until the writers go on."
    )


def _running(writers: Writers) -> list[str]:
    return [one.name for one in writers.all if one.state == "running"]


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
