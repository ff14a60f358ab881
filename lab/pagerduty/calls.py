"""One call of the REST API: what was asked, and the helpers that its methods share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from lab.pagerduty.account import Account
from lab.pagerduty.company import Person
from lab.pagerduty.errors import PagerDutyError, invalid, not_found
from lab.pagerduty.shapes import person_reference
from lab.pagerduty.things import Incident, Json

MOST_A_PAGE = 100
DEEPEST = 10_000


@dataclass(frozen=True)
class Call:
    """A call that may be answered: token and limits are checked. `sender` is who `From` names."""

    account: Account
    path: Json
    query: QueryParams
    body: Json
    sender: Person | None

    @property
    def agent(self) -> Json:
        """Who does it, as webhooks name them."""
        return person_reference(self.account, self.sender.id if self.sender else "PMAYDAY")

    def wrapped(self, name: str) -> Json:
        """The object that the body wraps under a name."""
        found = self.body.get(name)
        if not isinstance(found, dict):
            raise invalid(f"{name} is required")
        return found

    def many(self, name: str) -> list[str]:
        """A list in the query: `statuses[]=…`."""
        return [*self.query.getlist(f"{name}[]"), *self.query.getlist(name)]

    def incident(self) -> Incident:
        found = self.account.incident(str(self.path["id"]))
        if found is None:
            raise not_found()
        return found

    def page(self, name: str, items: list[Any]) -> Json:
        """One page of a listing, as PagerDuty pages: limit, offset, more."""
        limit, offset = self._number("limit", 25), self._number("offset", 0)
        limit = min(limit or 25, MOST_A_PAGE)
        if limit + offset > DEEPEST:
            raise PagerDutyError(400, 2001, "Invalid Input Provided", f"Offset and limit exceed {DEEPEST}")
        total = len(items) if self.query.get("total") == "true" else None
        return {
            name: items[offset : offset + limit],
            "limit": limit,
            "offset": offset,
            "more": offset + limit < len(items),
            "total": total,
        }

    def _number(self, name: str, default: int) -> int:
        value = self.query.get(name)
        if value is None:
            return default
        if not value.isdigit():
            raise invalid(f"{name} must be a number")
        return int(value)


def id_of(value: Any) -> str:
    """The id in a reference, "" where there is none."""
    return str(value.get("id") or "") if isinstance(value, dict) else ""
