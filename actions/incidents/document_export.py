"""From the id of an incident or a run to its document: gathers the journals that belong together."""

from __future__ import annotations

from actions.engine.errors import Refused
from actions.engine.journal import Entry, Kind
from actions.incidents.document import Document
from actions.incidents.document_versions import as_it_stands
from actions.stack.manual import MANUAL
from actions.stack.stack import Stack
from actions.store.store import Store


def journals_of(store: Store, name: str) -> list[list[Entry]]:
    """The journal of that id and, where it is an incident's, those of its runs and errands.

    Raises:
        Refused: there is none.
    """
    told = store.entries(name)
    if not told:
        raise Refused(
            f"There is no incident or run {name[:40]}.", code="MD-INC-003", hint="mayday runs lists the runs."
        )
    linked = [str(entry.data["run"]) for entry in told if entry.kind is Kind.LINKED]
    return [told, *(journal for run in dict.fromkeys(linked) if (journal := store.entries(run)))]


def document_of(store: Store, name: str, stack: Stack = MANUAL) -> Document:
    """The document of an incident, or of a run alone: the newest version in the thread, or more than it tells.

    Raises:
        Refused: there is none.
    """
    return as_it_stands(journals_of(store, name), stack)
