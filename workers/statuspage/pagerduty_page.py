"""PagerDuty status pages: an incident is a post, what is said about it are post updates.

Posts carry no metadata, so our incident's id stands in brackets at the end of the title. The shapes are
those of PagerDuty's OpenAPI description, 2026-08; titles have at most 128 characters there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from actions.engine.errors import RecoveryError
from actions.incidents.public_text import stands
from actions.tools.outside import Draft, Published
from actions.wording import shortened
from workers.statuspage import pagerduty_words as words
from workers.statuspage.html import to_html, to_text
from workers.statuspage.rest import Doubt, Rest

_TRIES = 3
_TITLE_LIMIT = 128
_MOST = 100
_PAGES = 20
_DOUBLE = "This report was made twice by mistake. Please see the other one."
HEADERS = {"Accept": "application/vnd.pagerduty+json;version=2", "Content-Type": "application/json"}


class _Ref(BaseModel):
    id: str


_T = TypeVar("_T", bound=_Ref)


class _Word(_Ref):
    description: str = ""
    name: str = ""


class _Impacted(BaseModel):
    service: _Ref


class _Update(_Ref):
    message: str = ""
    status: _Ref | None = None
    reported_at: str | None = None
    impacted_services: list[_Impacted] = []


class _Post(_Ref):
    title: str = ""


class PagerDutyPage:
    """One page, by its id."""

    name = "PagerDuty status page"

    def __init__(self, rest: Rest, page: str, public_url: str = "") -> None:
        self._rest, self._page, self._path = rest, page, f"status_pages/{page}"
        self._public_url = public_url.rstrip("/")

    def find(self, incident: str) -> Published | None:
        """What was published for it."""
        found = self._ours(incident)
        return self._published(found[0], self._updates(found[0])) if found else None

    def publish(self, draft: Draft) -> Published:
        """Create the post or add the update, once; doubt about an attempt is settled by looking."""
        for _ in range(_TRIES - 1):
            try:
                return self._put(draft)
            except Doubt:
                continue
        return self._put(draft)

    def components(self) -> dict[str, str]:
        """The page's services, by id."""
        return {one.id: one.name for one in self._list("services", _Word)}

    def close(self) -> None:
        """Close its connections."""
        self._rest.close()

    def _put(self, draft: Draft) -> Published:
        found = self._ours(draft.incident)
        if not found:
            made = self._rest.send("POST", f"{self._path}/posts", {"post": self._post(draft)})
            found = self._ours(draft.incident) or [self._read(TypeAdapter(_Post), (made or {}).get("post"))]
        first, *doubles = found
        for double in doubles:
            self._close_double(double, draft)
        updates = self._updates(first)
        if stands(draft, self._published(first, updates)):
            return self._published(first, updates)
        self._add(first, draft, [i.service.id for u in updates for i in u.impacted_services])
        return self._published(first, self._updates(first))

    def _post(self, draft: Draft) -> dict[str, Any]:
        mark = f" ({draft.incident})"
        return {
            "type": "status_page_post",
            "post_type": "incident",
            "starts_at": None,
            "ends_at": None,
            "title": shortened(draft.title, _TITLE_LIMIT - len(mark)) + mark,
            "status_page": {"id": self._page, "type": "status_page"},
            "updates": [self._update(draft, ())],
        }

    def _add(self, post: _Post, draft: Draft, touched: Sequence[str]) -> None:
        update = self._update(draft, touched) | {"post": {"id": post.id, "type": "status_page_post"}}
        self._rest.send("POST", f"{self._path}/posts/{post.id}/post_updates", {"post_update": update})

    def _update(self, draft: Draft, touched: Sequence[str]) -> dict[str, Any]:
        """One update. Resolving takes back what the post itself has said of a service, and nothing else.

        What a maintenance or somebody else's post says of it stands in that post, and is not touched.
        """
        over = draft.status == "resolved"
        ids = dict.fromkeys((*touched, *draft.components), "operational") if over else draft.components
        status = self._id("status", draft.status, words.STATUSES, self._statuses)
        their_word = next(word for word, id in self._statuses.items() if id == status)
        return {
            "type": "status_page_post_update",
            "update_frequency_ms": None,
            "notify_subscribers": draft.notify,
            "message": to_html(words.spoken(draft.status, draft.text, their_word)),
            "status": {"id": status, "type": "status_page_status"},
            "severity": {
                "id": self._id("severity", "none" if over else draft.impact, words.SEVERITIES, self._severities),
                "type": "status_page_severity",
            },
            "impacted_services": [self._impacted(id, impact) for id, impact in ids.items()],
        }

    def _impacted(self, service: str, status: str) -> dict[str, Any]:
        impact = self._id("impact", status, words.IMPACTS, self._impacts)
        return {
            "service": {"id": service, "type": "status_page_service"},
            "impact": {"id": impact, "type": "status_page_impact"},
        }

    def _close_double(self, double: _Post, draft: Draft) -> None:
        updates = self._updates(double)
        if self._published(double, updates).status != "resolved":
            self._add(double, Draft(draft.incident, draft.title, "resolved", _DOUBLE, notify=False), ())

    def _ours(self, incident: str) -> list[_Post]:
        posts = self._list("posts", _Post, post_type="incident")
        return sorted((p for p in posts if p.title.endswith(f" ({incident})")), key=lambda p: p.id)

    def _updates(self, post: _Post) -> list[_Update]:
        """The updates, the newest last."""
        updates = self._list("post_updates", _Update, under=f"posts/{post.id}/")
        return sorted(updates, key=lambda u: u.reported_at or "")

    def _published(self, post: _Post, updates: Sequence[_Update]) -> Published:
        url = f"{self._public_url}/posts/{post.id}" if self._public_url else ""
        if not updates:
            return Published(post.id, url, "", 0)
        newest, by_id = updates[-1], {id: word for word, id in self._statuses.items()}
        their_word = by_id.get(newest.status.id, "") if newest.status else ""
        status, text = words.heard(to_text(newest.message), their_word)
        return Published(post.id, url, status, len(updates), text)

    @cached_property
    def _statuses(self) -> dict[str, str]:
        return self._words("statuses")

    @cached_property
    def _severities(self) -> dict[str, str]:
        return self._words("severities")

    @cached_property
    def _impacts(self) -> dict[str, str]:
        return self._words("impacts")

    def _words(self, kind: str) -> dict[str, str]:
        return {one.description.casefold(): one.id for one in self._list(kind, _Word, post_type="incident")}

    def _id(self, what: str, ours: str, wanted: Mapping[str, tuple[str, ...]], theirs: Mapping[str, str]) -> str:
        found = words.nearest(ours, wanted, theirs)
        if found is None:
            raise RecoveryError(
                f"The PagerDuty status page has no {what} for '{ours}'.",
                code="MD-SP-011",
                detail=f"It has: {', '.join(theirs) or 'none'}",
                hint=f"Add one of these to the page: {', '.join(wanted.get(ours, ()))}",
            )
        return found

    def _list(self, kind: str, of: type[_T], under: str = "", **query: str) -> list[_T]:
        """Everything of one kind, as far as a page can reasonably have it, each once."""
        found: dict[str, _T] = {}
        offset = 0
        for _ in range(_PAGES):
            answer = self._rest.get(f"{self._path}/{under}{kind}", limit=_MOST, offset=offset, **query)
            given = answer if isinstance(answer, dict) else {}
            some: list[_T] = self._read(TypeAdapter(list[of]), given.get(kind))  # type: ignore[valid-type]
            found |= {one.id: one for one in some}
            offset += len(some)
            if not some or not given.get("more"):
                break
        return list(found.values())

    @staticmethod
    def _read(kind: TypeAdapter[Any], data: Any) -> Any:
        try:
            return kind.validate_python(data)
        except ValidationError as odd:
            raise RecoveryError(
                "PagerDuty answered something unknown.",
                code="MD-SP-012",
                detail=str(odd)[:300],
                hint="Check `statuspage.api_url` in the settings.",
            ) from odd
