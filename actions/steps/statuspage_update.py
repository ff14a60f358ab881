"""The status page: what stands there, putting an update on it, seeing that it stands there."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.procedure import Sheet
from actions.incidents.public_text import fit, stands
from actions.tools.outside import Draft, StatusPage


@dataclass(frozen=True)
class OnThePage:
    """What the page shows of one incident now; `found` is False where it shows nothing of it."""

    page: str
    found: bool
    url: str = ""
    status: str = ""
    last_text: str = ""
    updates: int = 0


def look_at_page(draft: Draft, status_page: StatusPage) -> OnThePage:
    """What stands there for the draft's incident."""
    found = status_page.find(draft.incident)
    if found is None:
        return OnThePage(status_page.name, found=False)
    return OnThePage(status_page.name, True, found.url, found.status, found.last_text, found.updates)


def publish(draft: Draft, status_page: StatusPage) -> None:
    """Put the update on the page. Repeating it changes nothing.

    Raises:
        Refused: the draft cannot be published as it is.
        Away: the page does not answer for the moment.
    """
    status_page.publish(fit(draft))


def published(draft: Draft, status_page: StatusPage) -> bool:
    """Whether the page shows this text and this status for this incident as its newest update."""
    return stands(fit(draft), status_page.find(draft.incident))


def what_goes_out(draft: Draft, page: OnThePage) -> tuple[Sheet, ...]:
    """What a person reads before it is published: the update, and what stands there now."""
    told = "Subscribers are told." if draft.notify else "Nobody is told by mail."
    touched = ", ".join(f"{id}: {status}" for id, status in draft.components.items()) or "none"
    rows = (
        ("Title", draft.title),
        ("Status", draft.status),
        ("Impact", draft.impact),
        ("Text", draft.text),
        ("Components", touched),
    )
    now = f"{page.status}: {page.last_text}" if page.found else "nothing of this incident"
    return (Sheet(f"On {page.page}", (*rows, ("There now", now)), (told,)),)
