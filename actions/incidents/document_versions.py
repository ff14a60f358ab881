"""The versions of an incident's document: what was given out, and whether there is more to tell by now.

That a version was given out is an entry of the incident's journal, with how far it tells each journal. So a
version can be written again as it was, whatever came later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from actions.engine.journal import Entry, Kind
from actions.incidents.document import Document, Version, document
from actions.incidents.document_rendering import markdown
from actions.stack.manual import MANUAL
from actions.stack.stack import Stack
from actions.store.transaction import Draft

Journals = Sequence[Sequence[Entry]]
"""An incident's journal, then those of its runs and errands."""


@dataclass(frozen=True)
class Edition:
    """A version that was given out, by the entry `n`; `reach` is the last entry it tells of each journal."""

    number: int
    n: int
    at: datetime
    reach: Mapping[str, int]


def editions(told: Sequence[Entry]) -> list[Edition]:
    """The versions of which an incident's journal says that they were given out, the first one first."""
    given = (entry for entry in told if entry.kind is Kind.DOCUMENTED)
    return [Edition(entry.data["version"], entry.n, entry.at, entry.data["reach"]) for entry in given]


def next_edition(journals: Journals) -> Draft:
    """The entry that gives out a version which tells all of these journals."""
    reach = {journal[0].run: journal[-1].n for journal in journals}
    return Kind.DOCUMENTED, None, {"version": len(editions(journals[0])) + 1, "reach": reach}


def tells_more(journals: Journals, stack: Stack = MANUAL) -> bool:
    """Whether a reader would find in the document what the newest version does not say, or there is no version."""
    given = editions(journals[0])
    if not given:
        return True
    told = _until(given[-1], journals)
    return _lengths(told) != _lengths(journals) and _text(told, stack) != _text(journals, stack)


def as_given(journals: Journals, number: int, stack: Stack = MANUAL) -> Document:
    """A version as it was given out."""
    given = editions(journals[0])
    made, before = given[number - 1], given[number - 2] if number > 1 else None
    return _versioned(document(_until(made, journals), stack), journals, Version(number, made.at), before)


def as_it_stands(journals: Journals, stack: Stack = MANUAL) -> Document:
    """The newest version, or what the next one would say; a run's document has no versions.

    Raises:
        Refused: there is nothing to tell.
    """
    given = editions(journals[0]) if journals else []
    if not given:
        return document(journals, stack)
    if not tells_more(journals, stack):
        return as_given(journals, given[-1].number, stack)
    return _versioned(document(journals, stack), journals, Version(len(given) + 1, None), given[-1])


def _versioned(made: Document, journals: Journals, version: Version, before: Edition | None) -> Document:
    if before is None:
        return replace(made, version=version)
    known = set(document(_until(before, journals)).timeline)
    fresh = tuple(line for line in made.timeline if line not in known)
    return replace(made, version=replace(version, before=before.at, fresh=fresh))


def _text(journals: Sequence[Sequence[Entry]], stack: Stack) -> str:
    return markdown(document(journals, stack))


def _lengths(journals: Journals) -> list[int]:
    """How much there is to tell, cheaply. That a version was given out is nothing to tell."""
    return [sum(entry.kind is not Kind.DOCUMENTED for entry in journal) for journal in journals]


def _until(edition: Edition, journals: Journals) -> list[list[Entry]]:
    return [[entry for entry in journal if entry.n <= edition.reach.get(entry.run, 0)] for journal in journals]
