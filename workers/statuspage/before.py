"""What a page's components were before Mayday said that they suffer: a maintenance goes on where it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pydantic import BaseModel

WELL, MAINTAINED = "operational", "under_maintenance"


class Before(BaseModel):
    """What a component was. `of` is the id of the report that made it so, empty where none was known to."""

    status: str
    of: str = ""


class Other(Protocol):
    """Another report that is not over: its id, Mayday's own id or nothing, the components it holds, what they were."""

    id: str

    @property
    def ours(self) -> str: ...
    @property
    def touched(self) -> dict[str, str]: ...
    @property
    def before(self) -> dict[str, Before]: ...


def taken(ids: Iterable[str], now: Mapping[str, str], others: Sequence[Other]) -> dict[str, Before]:
    """What these components are without us; what is well is not kept, as it is what they become anyway."""
    found = {id: _of(id, now, [other for other in others if id in other.touched]) for id in ids}
    return {id: was for id, was in found.items() if was is not None and was.status not in ("", WELL)}


def _of(id: str, now: Mapping[str, str], holders: Sequence[Other]) -> Before | None:
    # What another incident of ours has set is no state of the component's own; what it was before that is.
    if mine := next((other for other in holders if other.ours), None):
        return mine.before.get(id)
    return Before(status=now.get(id, ""), of=holders[0].id if holders else "")


def restored(ids: Iterable[str], before: Mapping[str, Before], others: Sequence[Other]) -> dict[str, str]:
    """What becomes of them when ours is over; those that another incident of ours holds are left as they are."""
    found = {id: _then(before.get(id), [other for other in others if id in other.touched]) for id in ids}
    return {id: status for id, status in found.items() if status}


def _then(was: Before | None, holders: Sequence[Other]) -> str:
    if any(other.ours for other in holders):
        return ""
    if holders:
        return was.status if was else ""
    # What a report of somebody else had made of it is over with that report.
    return was.status if was and not was.of else WELL
