"""What a run claims of its site, and when two claims exclude each other.

No resource has ever two exclusive claims, and none that is exclusive stands beside a shared one. A yielding claim stops
nobody: it may not begin beside an exclusive one, and gives way where one begins. Sites have nothing to do with each
other.

What a run holds it lends to its children, and to theirs: a claim never stands in the way of a run that was opened by
its holder, nor that one's in the way of the holder. Two children of one parent have lent each other nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from actions.engine.errors import Busy

ALL = "*"
"""The service of a claim on everything of its site."""


class Mode(StrEnum):
    """How a resource is claimed."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"  # side by side with others that share it
    YIELDING = "yielding"  # given up as soon as somebody claims it exclusively


_STRONGEST = (Mode.YIELDING, Mode.SHARED, Mode.EXCLUSIVE)
_EXCLUDES = {
    Mode.EXCLUSIVE: frozenset({Mode.EXCLUSIVE, Mode.SHARED}),
    Mode.SHARED: frozenset({Mode.EXCLUSIVE}),
    Mode.YIELDING: frozenset({Mode.EXCLUSIVE}),
}
"""By the mode that is wanted, the modes of others beside which it may not begin."""


@dataclass(frozen=True)
class Wanted:
    """What a procedure claims: of the service that it is asked for (empty), of another one, or of `ALL`.

    `site` is empty for the run's own; in a procedure it is the field of the request that names another one.
    """

    mode: Mode
    service: str = ""
    site: str = ""


@dataclass(frozen=True)
class Claim:
    """A run's claim on a service of a site, or on all of them."""

    site: str
    service: str
    run: str
    mode: Mode
    lenders: tuple[str, ...] = ()
    """The runs that lend theirs to this one: its parent, and the parents of that, the oldest first."""

    def stands_in_the_way_of(self, wanted: Claim) -> bool:
        """Whether that one may not begin while this one is held."""
        lent = self.run in wanted.lenders or wanted.run in self.lenders
        apart = self.site != wanted.site or self.run == wanted.run or lent
        same = self.service == wanted.service or ALL in (self.service, wanted.service)
        return not apart and same and self.mode in _EXCLUDES[wanted.mode]


def conflict(wanted: Sequence[Claim], held: Iterable[Claim]) -> Claim | None:
    """The first claim that is held and excludes one of those that are wanted."""
    return next((other for other in held for one in wanted if other.stands_in_the_way_of(one)), None)


def wanted_by(claims: bool | Sequence[Wanted], yields: bool) -> tuple[Wanted, ...]:
    """The claims in full: `True` stands for an exclusive one of the own service, `yields` for a yielding one."""
    named = ((Wanted(Mode.EXCLUSIVE),) if claims else ()) if isinstance(claims, bool) else tuple(claims)
    return (*named, Wanted(Mode.YIELDING)) if yields else named


def claims_of(
    wanted: Iterable[Wanted], site: str, service: str, run: str, lenders: Sequence[str] = ()
) -> tuple[Claim, ...]:
    """The claims of one run, one for each resource: of two that name the same the stronger one."""
    modes: dict[tuple[str, str], Mode] = {}
    for one in wanted:
        at = (one.site or site, one.service or service)
        modes[at] = max(one.mode, modes.get(at, one.mode), key=_STRONGEST.index)
    return tuple(Claim(where, name, run, mode, tuple(lenders)) for (where, name), mode in modes.items())


def sites_of(claims: Iterable[Claim]) -> tuple[str, ...]:
    """The sites of which something is claimed, each once."""
    return tuple(dict.fromkeys(claim.site for claim in claims))


def in_the_way(claims: Iterable[Claim], held: Callable[[str], Iterable[Claim]]) -> str:
    """The run that these claims, where they are yielding, have to give way to; empty where there is none.

    `held` tells what is claimed of a site, and is asked only where there is something to give way.
    """
    yielding = [claim for claim in claims if claim.mode is Mode.YIELDING]
    found = conflict(yielding, held(yielding[0].site)) if yielding else None
    return found.run if found else ""


def listed(claims: Iterable[Claim], site: str) -> list[dict[str, Any]]:
    """Claims as the journal of a run of that site tells them; only what is of another site bears its name."""
    return [
        {"service": claim.service, "mode": str(claim.mode), **({} if claim.site == site else {"site": claim.site})}
        for claim in claims
    ]


def held_by(claim: Claim, site: str) -> Busy:
    """The refusal of whoever wants, for a run of that site, what is claimed."""
    everything = claim.service == ALL
    what = (
        f"All of site {claim.site}"
        if everything
        else claim.service
        if claim.site == site
        else f"{claim.service} @ {claim.site}"
    )
    one = "No other run of the site may begin beside it." if everything else "One run for each service at a time."
    return Busy(
        f"{what} is held by run {claim.run}.",
        code="MD-RUN-016",
        run=claim.run,
        what=what,
        detail="It looks at it, and others may as well; nobody may change it." if claim.mode is Mode.SHARED else one,
        hint=f"Follow run {claim.run} in its thread, or stop or undo it there first.",
    )
