"""Who is on call, as a worker last heard it from PagerDuty: a note, so that nobody has to ask to show it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from actions.engine.facts import from_json, to_json
from actions.store.store import Store
from actions.tools.outside import OnCall

NOTE = "on call"
"""The kind of the note; its key is the site."""


def keep(store: Store, site: str, people: Sequence[OnCall]) -> None:
    """Keep who is on call now."""
    store.keep(NOTE, site, [to_json(person) for person in people])


def known(store: Store, site: str) -> tuple[OnCall, ...] | None:
    """Who is on call as far as is known, the first to be paged first; None where nobody ever said."""
    kept = store.note(NOTE, site)
    if not isinstance(kept, list):
        return None
    try:
        people: list[OnCall] = [from_json(OnCall, data) for data in kept]
    except ValidationError:
        return None
    return tuple(sorted(people, key=lambda person: (person.level, person.policy, person.name)))
