"""What the public was told of an incident, and what was offered to be told, from the journals alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from actions.engine.fact_roles import fact_with
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import FactRole, Outcome
from actions.errands import status_page_publish
from actions.incidents.run_story import RunStory


@dataclass(frozen=True)
class Post:
    """An update for the status page that somebody, or the settings, let out; `at` is when.

    `stood_at` is when it was seen there, None where it never was; `url` is its address there. `state` is its errand's,
    and `trouble` says why that waits or did not do it.
    """

    at: datetime
    who: str
    status: str
    text: str
    url: str
    title: str = ""
    components: Mapping[str, str] = field(default_factory=dict)
    errand: str = ""
    state: str = ""
    stood_at: datetime | None = None
    trouble: str = ""

    @property
    def stands(self) -> bool:
        """Whether it went out."""
        return self.stood_at is not None


@dataclass(frozen=True)
class Offer:
    """A draft that was offered in the thread; `kind` is what had happened then."""

    at: datetime
    kind: str


def posts(errands: Iterable[RunStory]) -> Iterator[Post]:
    """The updates among these errands."""
    for errand in errands:
        draft = errand.run.request.get("draft")
        if errand.run.procedure == status_page_publish.PROCEDURE.name and isinstance(draft, dict):
            yield _post(errand, draft)


def _post(errand: RunStory, draft: Mapping[str, object]) -> Post:
    run = errand.run
    shown = fact_with(status_page_publish.PROCEDURE, run, FactRole.PUBLISHED)
    touched = draft.get("components")
    failure = run.failure
    return Post(
        run.requested_at,
        errand.name,
        str(draft.get("status") or ""),
        str(draft.get("text") or ""),
        str(shown.get("url") or ""),
        title=str(draft.get("title") or ""),
        components=dict(touched) if isinstance(touched, dict) else {},
        errand=run.id,
        state=errand.state,
        stood_at=run.finished_at if run.finished is Outcome.DONE else None,
        trouble=" ".join(filter(None, (failure.said, failure.detail, failure.hint))) if failure else "",
    )


def offers(told: Sequence[Entry]) -> list[Offer]:
    """The drafts that an incident's journal offers, the oldest first."""
    return [
        Offer(entry.at, str(entry.data["offers"]))
        for entry in told
        if entry.kind is Kind.NOTED and entry.data.get("offers")
    ]


def components(published: Iterable[Post]) -> dict[str, str]:
    """What the page says of each component by these updates, of which the newest is the last."""
    return {id: status for post in published if post.stood_at for id, status in post.components.items()}
