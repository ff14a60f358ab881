"""The table of claims held against the journals: what is claimed is what runs that have not ended said they claim.

A claim that outlived its run would hold its service for ever, and a run without its claims would be joined by another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from actions.engine.claims import ALL, Claim, Mode
from actions.engine.errors import NOT_READ
from actions.engine.journal import Entry, Kind
from actions.store.store import Store

_LOOKS = 3
_MOST = 100_000


@dataclass(frozen=True)
class WrongClaim:
    """What of a run's claims is not as its journal tells, and what to do about it."""

    run: str
    why: str
    do: str


def wrong_claims(store: Store, only: str = "") -> list[WrongClaim]:
    """All of them, or those of one run."""
    found = _once(store, only)
    # A run may begin or end between the looks at claims and journals; what is so at each of them stays so.
    for _ in range(_LOOKS - 1):
        if not found:
            break
        found = [one for one in _once(store, only) if one in found]
    return found


def _once(store: Store, only: str) -> list[WrongClaim]:
    held: dict[str, set[Claim]] = {}
    for claim in store.all_claims():
        held.setdefault(claim.run, set()).add(claim)
    names = dict.fromkeys([*held, *store.runs(open_only=True, limit=_MOST)])
    looked_at = [name for name in names if only in ("", name)]
    return [wrong for name in looked_at for wrong in _of_run(name, held.get(name, set()), _told(store, name))]


def _told(store: Store, run: str) -> list[Entry] | None:
    try:
        return store.entries(run)
    except NOT_READ:
        return None  # Whoever checks the chains says that it cannot be read; what it holds it goes on holding.


def _of_run(run: str, held: set[Claim], told: list[Entry] | None) -> Iterable[WrongClaim]:
    if told is None:
        return
    let_go = f"No command takes it back: delete from claims where run = '{run}', once it is known why it is there."
    if not told or any(entry.kind is Kind.FINISHED for entry in told):
        why = "it has ended, and still holds" if told else "there is no journal of it, and it holds"
        yield from (WrongClaim(run, f"{why} {_named(one)}", let_go) for one in _sorted(held))
        return
    wanted = claimed_by(told[0])
    if wanted is None:
        return
    again = f"Another run may begin beside it: stop or undo it (mayday stop {run}), then ask again."
    for one in _sorted(wanted - held):
        yield WrongClaim(run, f"it has not ended, and does not hold {_named(one)} as it should", again)
    for one in _sorted(held - wanted):
        yield WrongClaim(run, f"it holds {_named(one)}, which it never asked for", let_go)


def claimed_by(request: Entry) -> set[Claim] | None:
    """What a run claims by its own request; None for one of before, which does not say it."""
    data = request.data
    listed = data.get("claims")
    if not isinstance(listed, list):
        return None
    return {_claim(request.run, str(data.get("site") or ""), one) for one in listed}


def _claim(run: str, site: str, one: Mapping[str, str]) -> Claim:
    return Claim(site, one["service"], run, Mode(one["mode"]))


def _sorted(claims: Iterable[Claim]) -> list[Claim]:
    return sorted(claims, key=lambda one: (one.site, one.service, one.mode))


def _named(claim: Claim) -> str:
    what = "all" if claim.service == ALL else claim.service
    return f"{what} of site {claim.site} ({claim.mode})"
